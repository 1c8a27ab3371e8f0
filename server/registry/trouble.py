"""What is wrong between the server and a kiosk, as the device page shows it: a key under [trouble] with its values."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kiosk.texts import Texts
from server.registry.models import Device

STAYS = timedelta(hours=1)
"""A trouble that comes and goes, as two kiosks with one token do, is shown this long after it was seen last."""
PASSING = frozenset({"pull_silent", "pull_busy", "pull_unknown_name"})
"""Only that a kiosk was not reached just now. Whether that is bad, the time since it was heard of last says, as of one
that sends by itself. All others are for somebody to mend."""


def tell(device: Device, now: datetime, key: str, **values: str | int) -> bool:
    """Keep what is wrong, and say whether it is news; texts of the values are cut to 200 letters."""
    if key in PASSING and for_somebody(device.trouble):
        return False  # a kiosk that cannot be reached has not been mended
    news = bool(device.trouble.get("key") != key)
    said = {name: value[:200].replace("\0", " ") if isinstance(value, str) else value for name, value in values.items()}
    device.trouble, device.trouble_at = {"key": key, **said}, now
    device.save(update_fields=["trouble", "trouble_at"])
    return news


def for_somebody(trouble: Mapping[str, Any]) -> bool:
    """Whether a device's `trouble` is one that somebody has to mend, at whatever hour."""
    return bool(trouble) and trouble["key"] not in PASSING


def clear(device: Device, now: datetime, stays: timedelta = STAYS) -> None:
    """A good contact: what was wrong is over if it was not seen again since `stays` ago."""
    if device.trouble and (device.trouble_at is None or device.trouble_at <= now - stays):
        device.trouble, device.trouble_at = {}, None
        device.save(update_fields=["trouble", "trouble_at"])


def in_words(trouble: Mapping[str, Any], t: Texts) -> str:
    """A device's `trouble` in words."""
    values = {name: value for name, value in trouble.items() if name != "key"}
    return t(f"trouble.{trouble['key']}", **values)
