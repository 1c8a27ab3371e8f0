"""Documents and photos that a server offers: fetched, and taken only when they are whole.

It knows the table of docs/feed.md. It refuses to know what a document says, and where it is kept.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sync.wire import WireError

if TYPE_CHECKING:  # the network library is slow to import, and whoever only reads names needs none
    from sync.client import Client
    from sync.exchange import Answer

MAX_DOCUMENT = 1 << 20
MAX_PHOTO = 4 << 20

Kind = Literal["office", "board"]
_ETAG = re.compile(r'(?:W/)?"([1-9][0-9]{0,9})-([0-9a-f]{64})"')


class Unsound(Exception):
    """An answer that is none of the table, or that is damaged."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A document as it came, under the name that the server gave it."""

    version: int
    sha256: str
    content: bytes


def etag(version: int, sha256: str) -> str:
    """The name of a document for If-None-Match and If-Match; "" for none."""
    return f'"{version}-{sha256}"' if version else ""


def read_etag(text: str) -> tuple[int, str] | None:
    """Version and hash out of such a name; None for what is none."""
    found = _ETAG.fullmatch(text.strip())
    return (int(found[1]), found[2]) if found else None


def document(client: "Client", kind: Kind, known: str = "") -> Offer | Literal["same", "none"]:
    """What is offered, unless it is what the etag `known` names. Raises Silent or Unsound."""
    answer = client.get(kind, MAX_DOCUMENT, known)
    if answer.http == 304:
        return "same"
    if answer.http == 404:
        return "none"
    content, named = _body(answer), read_etag(answer.headers.get("ETag", ""))
    if named is None or hashlib.sha256(content).hexdigest() != named[1]:
        raise Unsound(f"the {kind} document is not what its ETag names")
    return Offer(*named, content)


def photo(client: "Client", sha256: str) -> bytes | None:
    """A photo by its hash, None when the server does not have it. Raises Silent or Unsound."""
    answer = client.get(f"blob/{sha256}", MAX_PHOTO)
    if answer.http == 404:
        return None
    content = _body(answer)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Unsound(f"the photo {sha256} came damaged")
    return content


def _body(answer: "Answer") -> bytes:
    if answer.http != 200:
        raise Unsound(f"HTTP {answer.http} in place of a document")
    try:
        return answer.plain()
    except WireError as error:
        raise Unsound(str(error)) from error
