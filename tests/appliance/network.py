"""Ports of this computer that the machine reaches, and the other way round."""

import socket

HOST = "10.0.2.2"
"""This computer, as the machine sees it."""


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
