"""How long things took, counted by whole minutes, and the middle of it.

Counts are kept in one number of which they are the digits: a report adds up those of thousands of days, and one
addition of such numbers adds all their minutes at once.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

DIGIT, DIGIT_BYTES = "I", 4
"""Of struct. Together, times of the same minute must stay below four billion."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took in whole minutes: `n` times, the middle one, and the one that 90 of 100 keep within.

    Nearest rank: the least minute within which that share of all lies. None without a time.
    """

    n: int
    median: int | None
    p90: int | None


NEVER = Spread(0, None, None)
"""Of what did not happen."""


def packed(told: Mapping[str, int]) -> int:
    """How often something took so many minutes, of what JSON holds of it, {"3": 12, …}, as one number to add up."""
    by_minute = {int(minute): n for minute, n in told.items()}
    counts = [by_minute.get(minute, 0) for minute in range(max(by_minute, default=-1) + 1)]
    return int.from_bytes(struct.pack(f"<{len(counts)}{DIGIT}", *counts), "little")


def counted(times: int) -> tuple[int, ...]:
    """The counts of a packed number, that of no minute first; the last one is not 0."""
    length = -(-times.bit_length() // (8 * DIGIT_BYTES))
    return struct.unpack(f"<{length}{DIGIT}", times.to_bytes(length * DIGIT_BYTES, "little"))


def unpacked(times: int) -> dict[int, int]:
    """The counts that are not 0 by their minute: what `packed` packs."""
    return {minute: n for minute, n in enumerate(counted(times)) if n}


def spread(times: int) -> Spread:
    """The spread of packed times, of any number of days together."""
    counts = counted(times)
    return Spread(sum(counts), rank(counts, 50), rank(counts, 90))


def rank(counts: Sequence[int], percent: int) -> int | None:
    """The least minute within which so many per cent of all lie (nearest rank); None of nothing."""
    place, seen = ceil(sum(counts) * percent / 100), 0
    for minute, n in enumerate(counts):
        seen += n
        if n and seen >= place:
            return minute
    return None
