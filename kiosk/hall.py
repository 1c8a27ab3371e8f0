"""An office with more counters than its document has: a large hall, for pictures and for rehearsals. Pure."""

from dataclasses import replace

from kiosk.office import Office


def hall(office: Office, counters: int) -> Office:
    """The same office with at least so many counters (at most 16): further ones serve as the first ones do, in turns.

    Each further counter has a clerk of its own, made from the one that it is like.
    """
    desks, clerks = list(office.counters), list(office.clerks)
    for n in range(len(desks), counters):
        like = office.counters[n % len(office.counters)]
        clerk = office.clerk(like.clerk)
        if clerk:
            clerk = replace(clerk, id=f"{clerk.id}-{n}")
            clerks.append(clerk)
        id = next(str(free) for free in range(1, counters + n) if all(str(free) != desk.id for desk in desks))
        desks.append(replace(like, id=id, label=id, clerk=clerk.id if clerk else ""))
    return replace(office, counters=tuple(desks), clerks=tuple(clerks))
