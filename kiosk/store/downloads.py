"""What the commune server had this kiosk work by: which documents were looked at, and what became of them.

A document is put in force with its event and the note about it in one transaction. Whether it can be used is the
caller's affair (`kiosk.downlink`).
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from kiosk.board_document import BoardDocument, Day
from kiosk.clock import Moment
from kiosk.dossiers import dossiers_of, plain
from kiosk.store.counters import give_up_others
from kiosk.store.database import Database, Writing
from kiosk.store.dossiers import clear_dossiers, dossiers_in, put_dossiers
from kiosk.store.offices import OWNED, put_version
from kiosk.store.overrides import calendar_overrides, lines_in, next_key, put_override

SERVER = "server"
"""Who is named as the author of what came from the server."""
MOST_SAID = 5
"""Problems of one document that are told: a line of the feed holds 8 KiB."""

Said = Mapping[str, Any]
"""A problem as plain values, see `kiosk.downlink`."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The last word about a kind of document.

    `offered` is the server's version that was dealt with last; `version` and `sha256` name the document that was
    judged last, `problems` what is wrong with it; it is in force unless `refused`. `brought` is what a board document
    put on the boards: keys of lines, days with their kind and reason, figures.
    """

    offered: int = 0
    version: int = 0
    sha256: str = ""
    refused: bool = False
    problems: tuple[Said, ...] = ()
    brought: Mapping[str, Any] = field(default_factory=dict)

    @property
    def behind(self) -> bool:
        """Whether the server offers an older version than the kiosk has: it was restored."""
        return 0 < self.offered < self.version


class Downloads:
    """Documents of the server, by kind: "office" or "board"."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def looked(self, kind: str) -> Looked:
        """What became of a kind's last document."""
        return _looked(self.database.conn, kind)

    def note_offered(self, now: Moment, kind: str, version: int) -> None:
        """The server offers this version, and there is nothing to do about it."""
        with self.database.writing(now) as w:
            _keep(w, kind, replace(_looked(w.conn, kind), offered=version))

    def refuse(self, now: Moment, kind: str, version: int, sha256: str, problems: Sequence[Said]) -> None:
        """This document cannot be used; the one before stays in force."""
        with self.database.writing(now) as w:
            brought = _looked(w.conn, kind).brought
            _keep(w, kind, Looked(version, version, sha256, True, tuple(problems[:MOST_SAID]), brought))
            _tell(w, kind, version, sha256, problems, ok=False)

    def apply_office(
        self,
        now: Moment,
        version: int,
        sha256: str,
        text: str,
        fingerprint: str,
        counters: Collection[str],
        problems: Sequence[Said] = (),
    ) -> None:
        """Put a checked office document in force. The server owns it from now on.

        `text` is kept; `fingerprint` is that of the office (`Office.sha256`), `counters` those that it has: see
        `OfficeVersions.apply`.
        """
        with self.database.writing(now) as w:
            row = w.conn.execute("SELECT sha256 FROM office_versions ORDER BY id DESC LIMIT 1").fetchone()
            if row is None or row["sha256"] != fingerprint:
                put_version(w, text, fingerprint, version, SERVER)
            w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, '1')", (OWNED,))
            give_up_others(w, counters)
            _keep(w, "office", Looked(version, version, sha256, False, tuple(problems[:MOST_SAID])))
            _tell(w, "office", version, sha256, problems, ok=True)

    def apply_board(self, now: Moment, version: int, sha256: str, document: BoardDocument) -> None:
        """Put a checked board document in force, in place of what the one before it brought."""
        with self.database.writing(now) as w:
            before = _looked(w.conn, "board").brought
            brought = {
                "lines": _lines(w, before.get("lines", []), document),
                "days": _days(w, before.get("days", {}), document.days),
                "figures": _figures(w, before.get("figures"), document),
            }
            _keep(w, "board", Looked(version, version, sha256, brought=brought))
            _tell(w, "board", version, sha256, (), ok=True)

    def forget(self, now: Moment) -> None:
        """The kiosk has no server any more, or another one: its document is its own again; what is in force stays."""
        with self.database.writing(now) as w:
            for key in (OWNED, _key("office"), _key("board")):
                w.conn.execute("DELETE FROM facts WHERE key = ?", (key,))


def _key(kind: str) -> str:
    return f"{kind}-of-server"


def _looked(conn: sqlite3.Connection, kind: str) -> Looked:
    row = conn.execute("SELECT value FROM facts WHERE key = ?", (_key(kind),)).fetchone()
    if row is None:
        return Looked()
    kept = json.loads(row[0])
    return Looked(**{**kept, "problems": tuple(kept["problems"])})


def _keep(w: Writing, kind: str, looked: Looked) -> None:
    text = json.dumps(asdict(looked), ensure_ascii=False)
    w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (_key(kind), text))


def _tell(w: Writing, kind: str, version: int, sha256: str, problems: Sequence[Said], *, ok: bool) -> None:
    said = list(problems[:MOST_SAID])
    error = "; ".join(f"{one['where']}: {one['message']}" for one in said)[:300]
    about = {"error": error, "problems": said} if said else {}
    w.emit(f"{kind}.applied", {"sha256": sha256, "version": version, "by": SERVER, "ok": ok, **about})


# --- what a board document brings -----------------------------------------------------------------------------


def _lines(w: Writing, before: Sequence[str], document: BoardDocument) -> list[str]:
    """Keys of the lines that stand now; those of staff stay where they are."""
    wanted = [(line.text, line.until) for line in document.lines]
    standing = [line for line in lines_in(w.conn) if line.key in before]
    if [(line.text, line.until) for line in standing] == wanted:
        return [line.key for line in standing]
    for line in standing:
        put_override(w, "ticker", line.key, {"text": "", "until": ""})
    keys = []
    for text, until in wanted:
        keys.append(next_key(lines_in(w.conn)))
        put_override(w, "ticker", keys[-1], {"text": text, "until": str(until or "")})
    return keys


def _days(w: Writing, before: Mapping[str, Sequence[str]], days: Sequence[Day]) -> dict[str, list[str]]:
    """Days with kind and reason. A day that staff changed since is theirs, until a document says something else."""
    now = {str(day.day): [day.kind, day.reason] for day in calendar_overrides(w.conn)}
    wanted = {str(day.day): [day.kind, day.reason] for day in days}
    for day, value in before.items():
        if day not in wanted and now.get(day) == value:
            put_override(w, "day", day, {"kind": "", "reason": ""})
    for day, (kind, reason) in wanted.items():
        if before.get(day) != [kind, reason] and now.get(day) != [kind, reason]:
            put_override(w, "day", str(date.fromisoformat(day)), {"kind": kind, "reason": reason})
    return wanted


def _figures(w: Writing, before: Mapping[str, Any] | None, document: BoardDocument) -> Mapping[str, Any] | None:
    """The newer figures stay, whoever brought them; what a document says again changes nothing."""
    current = dossiers_in(w.conn)
    if document.dossiers is None:
        if current and before and current == dossiers_of(before):
            clear_dossiers(w)
        return None
    wanted = document.dossiers.as_dossiers()
    said_before = before is not None and dossiers_of(before) == wanted
    if not said_before and wanted != current and (current is None or wanted.as_of >= current.as_of):
        put_dossiers(w, wanted)
    return plain(wanted)
