"""The command line: the one place that prints, prompts and exits; one command, one file."""
