"""The kiosk appliance of a Vietnamese commune's one-stop office: numbers, slips, calls and ratings."""

from datetime import UTC, datetime

__version__ = "0.4.0"

RELEASED = datetime(2026, 11, 23, tzinfo=UTC)
"""No clock that shows an earlier time can be right."""
