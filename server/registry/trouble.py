"""What is wrong between the server and a kiosk, as the device page shows it: a key under [trouble] with its values."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kiosk.texts import Texts
from server.registry.models import Device

STAYS = timedelta(hours=1)
"""A trouble that comes and goes, as two kiosks with one token do, is shown this long after it was seen last."""


def tell(device: Device, now: datetime, key: str, **values: str | int) -> None:
    """Keep what is wrong; texts of the values are cut to 200 letters."""
    said = {name: value[:200].replace("\0", " ") if isinstance(value, str) else value for name, value in values.items()}
    device.trouble, device.trouble_at = {"key": key, **said}, now
    device.save(update_fields=["trouble", "trouble_at"])


def clear(device: Device, now: datetime, stays: timedelta = STAYS) -> None:
    """A good contact: what was wrong is over if it was not seen again since `stays` ago."""
    if device.trouble and (device.trouble_at is None or device.trouble_at <= now - stays):
        device.trouble, device.trouble_at = {}, None
        device.save(update_fields=["trouble", "trouble_at"])


def in_words(trouble: Mapping[str, Any], t: Texts) -> str:
    """A device's `trouble` in words."""
    values = {name: value for name, value in trouble.items() if name != "key"}
    return t(f"trouble.{trouble['key']}", **values)
