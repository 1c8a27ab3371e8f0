"""Documents for kiosks from which this server fetches: it puts them there itself, photos first.

How a kiosk is reached is the caller's affair (`Put`); docs/feed.md has the answers.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from server.facts.models import Fact
from server.office.documents import etag, newest, photos
from server.office.models import Kind
from server.registry.models import Device, Site
from sync.offers import read_etag

logger = logging.getLogger(__name__)

TRIES = 3
"""Once as usual, once after the kiosk said what it has, once after the photos."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a kiosk answered: HTTP status, JSON object, and the etag of what it judged last."""

    status: int
    body: Mapping[str, Any]
    etag: str = ""


Put = Callable[[str, bytes, Mapping[str, str]], Answered]
"""PUT of a body to a path below /api/v1/ of one kiosk, with further headers. Raises OSError when nothing came."""


def deliver(device: Device, put: Put) -> list[str]:
    """Bring a kiosk the newest documents that it has not judged yet; the kinds that it judged now.

    Whether it can use one is told in its feed. Raises what `put` raises.
    """
    return [kind for kind in Kind.values if _due(device, kind) and _bring(device, kind, put)]


def _due(device: Device, kind: str) -> bool:
    """A kiosk that has more than this server, which was restored, keeps what it has."""
    last, here = newest(device.site, kind), read_etag(known(device, kind))
    return last is not None and (here is None or last.version >= here[0]) and etag(last) != known(device, kind)


def known(device: Device, kind: str) -> str:
    """The etag of what a kiosk judged last, as far as its feed told; "" for nothing."""
    rows = Fact.objects.filter(device=device, kind__in=("applied", "refused"), key=kind, value__by="server")
    told = max((row.value for row in rows), key=lambda value: int(value.get("version") or 0), default=None)
    return f'"{told["version"]}-{told["sha256"]}"' if told else ""


def _bring(device: Device, kind: str, put: Put) -> bool:
    last = newest(device.site, kind)
    assert last is not None
    here, path = known(device, kind), kind
    for _ in range(TRIES):
        answer = put(path, bytes(last.content), {"If-Match": here} if here else {})
        if answer.status == HTTPStatus.OK:
            return True
        if answer.status == HTTPStatus.PRECONDITION_FAILED:
            here = answer.etag
        elif answer.status == HTTPStatus.CONFLICT and answer.body.get("code") == "photos":
            _bring_photos(device.site, answer.body.get("photos"), put)
            path = f"{kind}?photos=sent"
        else:
            break
    logger.warning("%s does not take the %s document: HTTP %s %s", device.name, kind, answer.status, _says(answer))
    return False


def _bring_photos(site: Site, wanted: Any, put: Put) -> None:
    """Those that it asked for and that are here for its site; it takes the document without the others."""
    names = [name for name in wanted if isinstance(name, str)] if isinstance(wanted, list) else []
    for blob in photos(site, names):
        put(f"blob/{blob.sha256}", bytes(blob.content), {})


def _says(answer: Answered) -> str:
    return str(answer.body.get("message", ""))[:200]
