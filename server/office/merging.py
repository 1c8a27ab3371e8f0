"""Two people changed the same document: both of their changes in one.

Pure: plain values in and out. Where both changed the same value, mine stands; the page shows what that replaces.
"""

from collections.abc import Mapping
from typing import Any

from kiosk.revising import named_by

GONE: Any = object()
"""What is not there."""


def merged(base: Any, mine: Any, theirs: Any) -> Any:
    """What I changed since `base`, on top of what they published since."""
    if mine == theirs or theirs == base:
        return mine
    if mine == base:
        return theirs
    versions = [{} if one is GONE else one for one in (base, mine, theirs)]
    if GONE not in (mine, theirs) and all(isinstance(one, Mapping) for one in versions):
        return _tables(*versions)
    if all(isinstance(one, list) for one in versions):
        name = named_by(*versions)
        return _items(name, *versions) if name else _lists(*versions)
    return mine


def _tables(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    names = [*mine, *(name for name in theirs if name not in mine)]
    both = {name: merged(*(one.get(name, GONE) for one in (base, mine, theirs))) for name in names}
    return {name: value for name, value in both.items() if value is not GONE}


def _items(name: str, *versions: list[Any]) -> list[Any]:
    """Lists of things with names."""
    return list(_tables(*({str(item[name]): item for item in one} for one in versions)).values())


def _lists(base: list[Any], mine: list[Any], theirs: list[Any]) -> list[Any]:
    """Lists of bare values: what they added is added, what they took away is gone unless I wrote it anew."""
    kept = [value for value in mine if value in theirs or value not in base]
    return kept + [value for value in theirs if value not in base and value not in mine]
