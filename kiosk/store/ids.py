"""Names that nobody can guess."""

import secrets
import time
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_token() -> str:
    """80 random bits as 16 Crockford characters: upper-case only, so that the slip's QR code stays small."""
    value = secrets.randbits(80)
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(75, -1, -5))


def new_id() -> str:
    """A random id that begins with the time (UUID version 7): rows with it land at the index's end, which keeps
    the 400,000th ticket as cheap as the first."""
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))
