"""Whose mail a message is: the rules, what they read, and linking anew what a change touches."""
