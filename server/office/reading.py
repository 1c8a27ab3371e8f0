"""Office documents as this release reads them. A kiosk of a newer one may have brought one that it cannot read: for the
server there is none then, as it is for the kiosk, where the one before stays in force.
"""

import logging
from collections.abc import Iterable
from functools import lru_cache

from kiosk.documents import DocumentError
from kiosk.office import Office

logger = logging.getLogger(__name__)


@lru_cache(maxsize=256)
def read(content: bytes) -> Office | None:
    """A document's office, None for one of another release. Reading one takes some 20 ms, and they never change."""
    try:
        return Office.from_json(content)
    except DocumentError as error:
        why = str(error).splitlines()[0]
        logger.warning("this release cannot read an office document, and goes on with the one before: %s", why[:200])
        return None


def first_read(contents: Iterable[bytes]) -> Office | None:
    """The first of these documents that can be read."""
    return next((office for content in contents if (office := read(content)) is not None), None)
