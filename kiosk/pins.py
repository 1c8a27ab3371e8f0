"""PINs: which ones may be, how they are kept, who waits after wrong ones and how long. No database, no clock.

Wrong PINs of strangers lock strangers out, and not a browser that has signed in as that person before: it has a mark
that only the kiosk can make, and a count of its own (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

import hashlib
import hmac
import secrets
from itertools import pairwise

SHORTEST, LONGEST = 4, 12
COST = {"n": 2**14, "r": 8, "p": 1}
"""scrypt (RFC 7914): 16 MB and some 50 ms for each guess."""
FREE_TRIES = 3
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 900
FORGOTTEN_S = 24 * 3600
"""After so long without a try, the wrong ones of before count no more."""


class BadPin(ValueError):
    """A PIN that may not be; `reason` is a key of the language files' `pin.*`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check(pin: str) -> str:
    """The PIN itself. Raises BadPin: not 4 to 12 digits, or one that everybody tries first."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise BadPin("digits")
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {9}):
        raise BadPin("easy")
    return pin


def kept(pin: str) -> str:
    """What is stored in place of the PIN: salt and scrypt hash."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_hash(pin, salt)}"


def matches(pin: str, stored: str) -> bool:
    """Whether this is the PIN that was stored."""
    scheme, salt, digest = stored.split("$")
    return scheme == "scrypt" and hmac.compare_digest(_hash(pin, bytes.fromhex(salt)), digest)


def new_mark(person: str, stored: str) -> str:
    """What a browser in which this person's PIN was right is known by. Its key is the stored PIN: with another PIN, and
    another salt, it is worth nothing."""
    name = secrets.token_urlsafe(12)
    return f"{name}.{_sign(person, name, stored)}"


def marked(mark: str, person: str, stored: str) -> str:
    """The name of the browser with this mark, "" when the mark is not of this person and PIN."""
    name, _, signature = mark.partition(".")
    right = hmac.compare_digest(signature.encode(), _sign(person, name, stored).encode())
    return name if right else ""


def wait_s(wrong: int) -> int:
    """Seconds to wait after so many wrong PINs in a row: none for the first ones, then twice as long each time."""
    over = wrong - FREE_TRIES
    return 0 if over < 0 else min(FIRST_WAIT_S * 2 ** min(over, 20), LONGEST_WAIT_S)


def _hash(pin: str, salt: bytes) -> str:
    return hashlib.scrypt(pin.encode(), salt=salt, n=COST["n"], r=COST["r"], p=COST["p"], dklen=32).hex()


def _sign(person: str, name: str, stored: str) -> str:
    return hmac.new(stored.encode(), f"browser {person} {name}".encode(), hashlib.sha256).hexdigest()
