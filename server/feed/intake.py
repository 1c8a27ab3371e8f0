"""The one way in: a batch that came by push, pull or file goes through `take`, in one transaction."""

import hashlib
import hmac
from datetime import datetime

from django.db.models import Q

from server.facts import shapes
from server.feed.storage import Storage
from server.registry.models import Device
from sync import ingest
from sync.wire import Batch


class WrongDevice(ValueError):
    """A batch of another kiosk than the one that it was asked of, or whose token came with it."""


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def device_of(token: str) -> Device | None:
    """The kiosk whose token this is; the first use of a new one ends the old one. None for one that opens nothing."""
    own = digest(token)
    device = Device.objects.select_related("site").filter(Q(token=own) | Q(next_token=own), revoked=False).first()
    if device is None or not token:
        return None
    if hmac.compare_digest(device.next_token, own):
        device.token, device.next_token = own, ""
        device.save(update_fields=["token", "next_token"])
    return device


def take(device: Device, batch: Batch, now: datetime) -> ingest.Result:
    """Take a checked batch of this kiosk in. Repeating it changes nothing. Raises WrongDevice."""
    if batch.header.device != device.name:
        raise WrongDevice(f"the batch is of {batch.header.device}, not of {device.name}")
    storage = Storage(now)
    with storage.writing():
        return ingest.ingest(storage, batch, shapes.check)
