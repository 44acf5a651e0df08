"""The use cases; no I/O libraries: everything outside comes through the ports."""
