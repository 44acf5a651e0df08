"""`archiver customer …`: one command, one file; what they share is in form, text, shapes."""
