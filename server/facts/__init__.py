"""What the events say, as tables: made by the kiosk's own pure rules, and made again from the events at any time."""
