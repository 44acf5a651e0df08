"""The demonstration: invented mail, a mail server on loopback, and the main job run on them."""
