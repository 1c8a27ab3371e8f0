"""Tells systemd that the kiosk is ready and alive (sd_notify(3)). Without systemd it tells nobody."""

import os
import socket


def notify(message: str) -> None:
    """Send one state, as "READY=1" or "WATCHDOG=1". A lost message is no reason to stop: the watchdog will say so."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError:
            return
