"""Why a notice could not be told: what is kept of a failure, and how it is said.

Kept is a key of the language files with a detail, as "certificate: …"; of what has no key, and in rows of releases
before, the program's own English alone.
"""

import socket
import ssl
from collections.abc import Iterator
from smtplib import SMTPAuthenticationError, SMTPRecipientsRefused, SMTPResponseException

from kiosk.texts import Texts
from server.watch.mail import NoMailServer
from server.watch.webhook import NotTaken

NOBODY = "nobody"
LETTERS = 200
"""What the column holds."""

KEYS: tuple[tuple[type[Exception], str], ...] = (
    (NoMailServer, "no_mail_server"),
    (socket.gaierror, "unknown_name"),
    (ConnectionRefusedError, "refused"),
    (TimeoutError, "timeout"),
    (ssl.SSLCertVerificationError, "certificate"),
    (SMTPAuthenticationError, "password"),
    (SMTPResponseException, "smtp"),
    (SMTPRecipientsRefused, "smtp"),
)


def kept(error: Exception) -> str:
    """What is kept of a failure."""
    if isinstance(error, NotTaken):
        return f"{'redirect' if 300 <= error.status < 400 else 'http'}: {error.status}"
    # smtplib and the libraries under the webhook wrap what the operating system or TLS said.
    found = (f"{key}: " for cause in _causes(error) for kind, key in KEYS if isinstance(cause, kind))
    return f"{next(found, '')}{type(error).__name__}: {error}"[:LETTERS]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def said(problem: str, t: Texts) -> tuple[str, str]:
    """The sentence for what was kept, and what the technician reads beside it, "" for nothing."""
    key, _, detail = problem.partition(": ")
    if f"undelivered.{key}" not in t:
        return t("undelivered.other", loi=problem), ""
    return t(f"undelivered.{key}", n=detail), "" if detail.isdigit() else detail
