"""What a citizen's phone is told and may say: pure rules and pages, for the kiosk's own network and for the server.

No clock, no SQL, no web framework; nothing of the kiosk but its rules and sentences.
"""
