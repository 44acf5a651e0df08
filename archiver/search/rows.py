"""How a catalogue row carries the date, as the store makes them."""

ROW_BITS = 20
"""A catalogue row is (Unix seconds << ROW_BITS) + a sequence within the second."""
