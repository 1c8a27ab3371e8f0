"""The LAN's web pages: clerks, helpers, leaders and technicians, the board, rating panels and phones.

A process of its own: it may die without stopping a key or a slip. It shares nothing with the kiosk but the database.
"""
