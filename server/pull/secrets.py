"""Pull tokens in the database, readable only with a key that lies beside it: a copy of the database opens no kiosk."""

import hashlib
import ssl

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from server.config import kept_key

KEY = "pull.key"
"""File in data_dir."""


class Unreadable(ValueError):
    """A token that this key does not open: the key was lost or replaced."""


def seal(text: str) -> str:
    """Raises OSError when the key cannot be kept."""
    return Fernet(_key()).encrypt(text.encode()).decode()


def opened(sealed: str) -> str:
    """Raises Unreadable, and OSError when the key cannot be read."""
    try:
        return Fernet(_key()).decrypt(sealed.encode()).decode()
    except (InvalidToken, ValueError) as error:
        raise Unreadable("the token of this kiosk cannot be read: pair it again") from error


def _key() -> bytes:
    """The key, made when it is first needed."""
    return kept_key(settings.CONFIG.folder / KEY, lambda: Fernet.generate_key().decode()).encode()


def fingerprint(certificate: str) -> str:
    """SHA-256 of a certificate (PEM), in pairs as the kiosk's page shows it. Raises ValueError for none."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest().hex(":").upper()
