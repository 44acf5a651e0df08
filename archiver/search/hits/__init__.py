"""What was found: ranked, folded into copies and conversations, counted, shown as passages."""
