"""Frozen values that every layer shares; msgspec and the standard library only."""
