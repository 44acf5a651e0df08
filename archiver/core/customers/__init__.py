"""The records of customers: checked, found, merged, changed, and exchanged with other programs."""
