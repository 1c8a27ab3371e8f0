"""Whose fault an error is: that of the data at hand, or of the machine under everything."""

from collections.abc import Callable

from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError

PASSING = (OperationalError, InterfaceError, InternalError, ProgrammingError, OSError, MemoryError)
"""What no event is to blame for: the machine, the database, its tables. It is tried again, and marks nothing."""


def fault(work: Callable[[], object]) -> Exception | None:
    """Do it; what was wrong with the data that it worked on, None for nothing. Raises what is PASSING.

    Everything else is caught here, and only here: whatever an event, a day or a device does, it stops no other one.
    """
    try:
        work()
    except PASSING:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        return error
    return None
