"""What was typed: from text to a Whoosh query tree."""
