"""The raw events as they came, and the doors by which they come in."""
