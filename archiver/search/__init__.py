"""The query language (Whoosh), its compiler to FTS5 and SQL, and the full-text index."""
