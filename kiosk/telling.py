"""What a command tells whoever typed it, in the language of kiosk.toml. It knows errors by their keys, and no command.

The journal stays English: whoever helps from afar reads it, and `kiosk collect` passes on its known words alone.
"""

import errno
import os
import sys
from collections.abc import Mapping
from contextlib import suppress

from kiosk.config import glass_of
from kiosk.documents import DocumentError, Problem, mistake, printable
from kiosk.pins import BadPin
from kiosk.store.database import StoreError
from kiosk.texts import Texts, values
from kiosk.tickets import Refused
from sync.export import ExportError


def reader(config_file: str | None) -> Texts:
    """The sentences for whoever reads a command's words; of a kiosk.toml with mistakes its language is read too."""
    return Texts("en" if _is_journal() else glass_of(config_file).language)


def _is_journal() -> bool:
    """systemd names the journal's device and inode to what it connects with it; a shell hands the name on alone."""
    with suppress(OSError, ValueError):
        state = os.fstat(sys.__stderr__.fileno()) if sys.__stderr__ else None
        return state is not None and os.environ.get("JOURNAL_STREAM") == f"{state.st_dev}:{state.st_ino}"
    return False


def sentence(error: BaseException, t: Texts) -> str:
    """What went wrong and what to do about it; an error without a sentence of its own in its own words."""
    if isinstance(error, DocumentError):
        return "\n".join(_problem(each, t) for each in error.problems)
    if isinstance(error, Refused):
        return filled(f"refused.{error.reason}", error.values, t) or str(error)
    if isinstance(error, BadPin):
        return t(f"pin.{error.reason}")
    if isinstance(error, StoreError):
        return filled(f"store.{error.key}", error.values, t) or str(error)
    if isinstance(error, ExportError):
        return filled(f"export.{error.code}", {"noi": error.path}, t) or str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or t('store.device')}: {reason(error, t)}"
    return str(error)


def reason(error: OSError, t: Texts) -> str:
    """Why the system refused, in the reader's language where it is one of the usual reasons."""
    key = f"system.{errno.errorcode.get(error.errno or 0, '').lower()}"
    return t(key) if key in t else error.strerror or str(error)


def filled(key: str, given: Mapping[str, object], t: Texts) -> str:
    """The sentence of this key with its values, an error of the system among them too; "" where there is none."""
    if key not in t:
        return ""
    return printable(t(key, **{name: _value(value, t) for name, value in given.items()}))


def _value(value: object, t: Texts) -> object:
    return reason(value, t) if isinstance(value, OSError) else value


def _problem(problem: Problem, t: Texts) -> str:
    """A mistake of a document, with where it is; one that these sentences do not fit, as it is written in the log."""
    known = {*problem.values, "gan", *(["cho_phep"] if "dang" in problem.values else [])}
    if f"problem.{problem.key}" not in t or not values(t(f"problem.{problem.key}")) <= known:
        return str(problem)
    return ": ".join(part for part in (printable(problem.file), printable(problem.where), mistake(problem, t)) if part)
