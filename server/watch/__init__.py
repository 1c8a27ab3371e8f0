"""Alarms about kiosks: when they begin and end, and who is told by mail or webhook."""
