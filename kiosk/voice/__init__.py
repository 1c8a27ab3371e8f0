"""The voice that calls people in the hall: clips, packs of them, and the thread that says one call after the other."""
