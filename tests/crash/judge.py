"""What the next start makes of a disk after a power cut, and whether that keeps what people were told before it.

SQLite opens each disk, replays its log and checks all of the database. The kiosk's own `prepare` begins with the same;
it runs on each disk that SQLite made another database of, or with `thorough` on each disk. Then the audit reads what
is there: it uses none of the kiosk's code.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from kiosk.simulator.audit import Evidence, Findings, check_chain, check_numbers, check_rows, collect
from kiosk.store import Store
from kiosk.store.prepare import Prepared, prepare
from tests.crash.disk import State
from tests.crash.recorded import Record
from tests.office import moment, rulebook

LATER_S = 3600.0
"""The next start is an hour after the office opened: later than all that was recorded."""
Given = tuple[str, str, int]
"""Series, service and number: what no two tickets may have."""
Key = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Told:
    """What the world knows at the moment of the power cut, and must find again after it."""

    slips: tuple[str, ...] = ()
    """Tokens of the tickets whose slips began to print."""
    events: int = 0
    """So many events the commune server has."""
    office: str = ""
    """The office document that was put in force last, by its fingerprint."""
    kept: int | None = None
    """Somebody began to restore a backup with so many of the slips in it: the others may go, but never come again."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the undisturbed run came to."""

    given: dict[str, Given]
    chain: list[bytes]

    @classmethod
    def of(cls, data: Path, before: "Truth | None" = None) -> "Truth":
        """What lies there; `before`: what did, and went with a restore."""
        with TemporaryDirectory() as copy:  # looking leaves an empty log behind, which is not in the record
            for part in data.glob("kiosk.db*"):
                shutil.copy(part, copy)
            evidence = collect(Path(copy), slips=False, received=False)
        given = (before.given if before else {}) | _given(evidence)
        return cls(given, [chained for _, _, chained in evidence.events])


@dataclass(slots=True)
class Facts:
    """What was found on one disk. `problems` hold whatever was told before; `gaps` where nothing was restored."""

    problems: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    given: dict[str, Given] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    """Tokens whose slips would be printed again without saying so."""
    agrees: int = 0
    """How many events are those of the undisturbed run, from the first on."""
    ceilings: dict[str, dict[str, int]] = field(default_factory=dict)
    office: str = ""


class Judge:
    """Looks at each different disk once. `whole`: path → contents that a file that is replaced whole may have."""

    def __init__(
        self, record: Record, scratch: Path, truth: Truth, whole: dict[str, set[bytes]], *, thorough: bool = False
    ) -> None:
        self._root, self._scratch, self._truth, self._whole = record.root, scratch, truth, whole
        self._data = scratch / record.data.relative_to(record.root)
        self._thorough = thorough
        self._known: dict[Key, Facts] = {}
        self._recovered: dict[Key, Facts] = {}

    @property
    def states(self) -> int:
        """How many different ones there were."""
        return len(self._known)

    def problems(self, state: State, told: Told) -> list[str]:
        """What is wrong with this disk for people who were told this."""
        return compare(self.look(state), told, self._truth)

    def look(self, state: State) -> Facts:
        """What the next start finds on it."""
        key = _key(state)
        if key not in self._known:
            self._known[key] = self._facts(state)
        return self._known[key]

    def next_number(self, state: State, service: str) -> Given:
        """The number that the next citizen gets after the power cut."""
        self._lay_out(state)
        prepare(self._data, moment(LATER_S))
        with closing(Store(self._data, rulebook(press_limits=False))) as store:
            ticket = store.issuing.issue(moment(LATER_S + 1), service).ticket
        return ticket.series, ticket.service, ticket.seq

    def _facts(self, state: State) -> Facts:
        if self._thorough:
            return self._started(state)
        self._lay_out(state)
        if problem := _checked(self._data / "kiosk.db"):
            return Facts([problem])
        key = _key({path: (self._scratch_of(path)).read_bytes() for path in state if not path.endswith("-wal")})
        if key not in self._recovered:
            self._recovered[key] = self._started(state)
        return self._recovered[key]

    def _started(self, state: State) -> Facts:
        """After the next start."""
        facts = Facts()
        facts.problems += [f"{path} is cut" for path, data in state.items() if not self._is_whole(path, data)]
        self._lay_out(state)
        done = prepare(self._data, moment(LATER_S))
        if done != Prepared():
            facts.gaps.append(f"the next start took the database for damaged, or for another one: {done}")
        self._read(facts)
        return facts

    def _is_whole(self, path: str, data: bytes) -> bool:
        """The database may be cut: it mends itself. So may what has not got its name yet."""
        loose = "kiosk.db" in path or path.endswith((".new", ".part"))
        return loose or data in self._whole.get(path, {data})

    def _lay_out(self, state: State) -> None:
        wanted = {self._scratch_of(path): data for path, data in state.items()}
        for path in self._scratch.rglob("*"):
            if path.is_file() and path.name != "ballast" and path not in wanted:
                path.unlink()
        for path, data in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def _scratch_of(self, path: str) -> Path:
        return self._scratch / Path(path).relative_to(self._root)

    def _read(self, facts: Facts) -> None:
        if problem := _checked(self._data / "kiosk.db"):
            facts.problems.append(problem)
        with closing(sqlite3.connect(f"file:{self._data / 'kiosk.db'}?mode=ro", uri=True)) as conn:
            newest = conn.execute("SELECT sha256 FROM office_versions ORDER BY id DESC LIMIT 1").fetchone()
            facts.office = newest[0] if newest else ""
        evidence = collect(self._data, slips=False, received=False)
        facts.gaps += _missing(evidence)
        facts.problems += _impossible(evidence)
        facts.given = _given(evidence)
        tokens = {ticket["id"]: ticket["token"] for ticket in evidence.tickets}
        facts.again = {tokens[job["ticket"]] for job in evidence.jobs if job["state"] == "queued" and not job["copy"]}
        chain = [chained for _, _, chained in evidence.events]
        facts.agrees = next(
            (n for n, (a, b) in enumerate(zip(chain, self._truth.chain, strict=False)) if a != b), len(chain)
        )
        facts.ceilings = json.loads((self._data / "highwater.json").read_text())["series"]


def _missing(evidence: Evidence) -> list[str]:
    """Where a series does not count 1, 2, 3 …"""
    findings = Findings()
    check_numbers(findings, evidence, [json.loads(line) for _, line, _ in evidence.events])
    return _all(findings)


def _impossible(evidence: Evidence) -> list[str]:
    """Rows without their event, events without their row, numbers that are there twice, a broken chain."""
    findings = Findings()
    check_rows(findings, evidence, [json.loads(line) for _, line, _ in evidence.events])
    check_chain(findings, evidence.events)
    findings.no_twins("number", _given(evidence).values())
    return _all(findings)


def _all(findings: Findings) -> list[str]:
    return [*findings.lost, *findings.duplicates, *findings.invented]


def compare(facts: Facts, told: Told, truth: Truth) -> list[str]:
    """Whether a disk keeps what people were told."""
    problems = [*facts.problems, *(facts.gaps if told.kept is None else [])]
    owners = {given: token for token, given in facts.given.items()}
    for at, token in enumerate(told.slips):
        series, service, seq = given = truth.given[token]
        if owners.get(given, token) != token:
            problems.append(f"number {seq} of {service} is on paper and was given again")
        if facts.given.get(token) != given and (told.kept is None or at < told.kept):
            problems.append(f"number {seq} of {service} is on paper and was lost: {facts.given.get(token)}")
        if token in facts.again and told.kept is None:
            problems.append(f"number {seq} of {service} is on paper and would be printed again without a mark")
        if seq > facts.ceilings.get(series, {}).get(service, 0):
            problems.append(f"number {seq} of {service} is on paper and above its ceiling {facts.ceilings}")
    if told.kept is None and facts.agrees < told.events:
        problems.append(f"the server has {told.events} events, the kiosk only the first {facts.agrees} of them")
    if told.office and facts.office != told.office:
        problems.append(f"the office document {told.office[:12]} was put in force and {facts.office[:12]} is")
    return problems


def greater(new: Given, told: Told, truth: Truth) -> bool:
    """Whether a number lies above each one of its kind that is on paper."""
    return all(new[2] > seq for *kind, seq in map(truth.given.get, told.slips) if (*kind,) == new[:2])


def _checked(database: Path) -> str:
    """Open a database, which replays its log and writes it back, and check all of it; what is wrong, "" if nothing."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True)) as conn:
            found = conn.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        found = str(error)
    return "" if found == "ok" else f"the database is damaged: {found}"


def _given(evidence: Evidence) -> dict[str, Given]:
    return {row["token"]: (row["series"], row["service"], row["seq"]) for row in evidence.tickets}


def _key(state: State) -> Key:
    """What tells disks apart: 64 bits of each file. Python keeps them with the bytes, which are often the same ones."""
    return frozenset((path, len(data), hash(data)) for path, data in state.items())
