"""Names that nobody can guess."""

import secrets
import time

from sync.ids import ordered_id

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_token() -> str:
    """80 random bits as 16 Crockford characters: upper-case only, so that the slip's QR code stays small."""
    value = secrets.randbits(80)
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(75, -1, -5))


def new_id() -> str:
    """A random id that begins with the time."""
    return ordered_id(time.time_ns() // 1_000_000)
