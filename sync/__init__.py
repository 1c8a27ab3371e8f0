"""The event feed from a kiosk to its commune server: one shape, carried by push, pull or file."""
