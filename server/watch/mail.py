"""Notices by mail."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage

from server.watch.message import Message


class NoMailServer(ConnectionError):
    """server.toml names no mail server."""


def send(to: Sequence[str], message: Message) -> None:
    """Send a message by the server's mail settings. Raises OSError or SMTPException."""
    if not settings.EMAIL_HOST:
        raise NoMailServer("server.toml names no mail server: [mail] host")
    sender = settings.DEFAULT_FROM_EMAIL or settings.EMAIL_HOST_USER
    EmailMessage(message.subject, message.text, sender, list(to)).send()
