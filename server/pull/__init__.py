"""Fetching events from kiosks that cannot reach the server: pairing, the worker, and where it may connect to."""
