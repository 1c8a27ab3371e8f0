"""Writing events of the server's own: through the same ingest as a kiosk's, so that facts can be made of them again."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError, transaction

from server.facts import shapes
from server.feed.storage import Storage
from server.phones.models import OwnFeed
from server.registry.models import Device, Site
from sync import ingest, wire

BOOT = "server"
"""The server's events need no boot: their `mono` are the milliseconds of their own `at`."""
_NAMES = UUID("6f1d0c52-5b5c-4f4e-9d2e-2f1f7f0f3a11")


def id_of(what: str) -> str:
    """The one id for something that may be said once ("rating:" and a ticket's id): saying it again adds nothing."""
    return str(uuid5(_NAMES, what))


def new_id() -> str:
    """An id for something that may be said many times."""
    return str(uuid4())


def device_of(site: Site) -> Device:
    """The device that stands for the server itself at a site; made when it is first needed."""
    known = OwnFeed.objects.select_related("device__site").filter(site=site).first()
    if known:
        return known.device
    name = f"server-{site.pk}-{secrets.token_hex(4)}"
    try:
        with transaction.atomic():
            device = Device.objects.create(name=name, site=site, revoked=True, epoch=wire.new_epoch(1))
            OwnFeed.objects.create(site=site, device=device)
    except IntegrityError:  # somebody else was faster
        device = OwnFeed.objects.select_related("device__site").get(site=site).device
    return device


@dataclass
class Said:
    """The events of one transaction, in which nobody else can add any to this feed."""

    device: Device
    now: datetime
    lines: list[bytes]

    def emit(self, kind: str, data: Mapping[str, Any], id: str | None = None) -> None:
        """Add an event; it is written at the end of the block."""
        stamp = wire.Stamp(self.now, "server", BOOT, int(self.now.timestamp() * 1000))
        self.lines.append(wire.event_line(kind, data, stamp, id))


@contextmanager
def saying(site: Site, now: datetime) -> Iterator[Said]:
    """A transaction that writes what is emitted in it, with whatever else is written in the block, or nothing."""
    device = device_of(site)
    storage = Storage(now)
    with storage.writing():
        head = storage.locked_head(device.name, device.epoch)
        said = Said(device, now, [])
        yield said
        if said.lines:
            ingest.ingest(storage, _batch(device, head, said.lines), shapes.check)


def _batch(device: Device, head: wire.Position, lines: Sequence[bytes]) -> wire.Batch:
    end = wire.chain_all(head.hash, lines)
    return wire.Batch(wire.Header(device.name, device.epoch, head, len(lines), head.seq + len(lines), end), lines)
