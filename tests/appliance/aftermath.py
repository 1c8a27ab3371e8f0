"""What a power cut has left on the disk of a machine, looked at from outside as the next start would."""

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kiosk.simulator.audit import Findings, check_chain, check_numbers, check_rows, collect
from kiosk.store.prepare import Prepared, prepare
from tests.appliance.machine import Machine
from tests.office import moment

LATER_S = 6 * 3600.0
"""After the office opened: later than anything that the machine did."""


@dataclass(frozen=True, slots=True)
class Left:
    """`given`: token → series, service, number. `jobs`: (token, state, copies) of all slips, before any recovery."""

    given: dict[str, tuple[str, str, int]]
    jobs: list[tuple[str, str, int]]
    problems: list[str]


def left(machine: Machine, scratch: Path) -> Left:
    """The disk's journal is played back, the database's log is, and the kiosk's own `prepare` runs."""
    data = scratch / "data"
    shutil.rmtree(data, ignore_errors=True)
    _copy_out(machine.disk, scratch, data)
    jobs = _jobs(data)
    done = prepare(data, moment(LATER_S))
    evidence, findings = collect(data, slips=False, received=False), Findings()
    said = [json.loads(line) for _, line, _ in evidence.events]
    check_numbers(findings, evidence, said)
    check_rows(findings, evidence, said)
    check_chain(findings, evidence.events)
    given = {row["token"]: (row["series"], row["service"], row["seq"]) for row in evidence.tickets}
    findings.no_twins("number", given.values())
    problems = [*findings.lost, *findings.duplicates, *findings.invented]
    if done != Prepared():
        problems.append(f"the next start took the database for another one: {done}")
    return Left(given, jobs, problems)


def _copy_out(disk: Path, scratch: Path, data: Path) -> None:
    raw, mounted = scratch / "disk.raw", scratch / "mounted"
    mounted.mkdir(exist_ok=True)
    _run("qemu-img", "convert", "-q", "-O", "raw", str(disk), str(raw))
    _run("mount", "-o", "loop", str(raw), str(mounted))
    try:
        shutil.copytree(mounted / "var/lib/kiosk", data)
    finally:
        _run("umount", str(mounted))
        raw.unlink()


def _jobs(data: Path) -> list[tuple[str, str, int]]:
    query = "SELECT token, jobs.state, copy FROM jobs JOIN tickets ON tickets.id = jobs.ticket ORDER BY jobs.id"
    with closing(sqlite3.connect(data / "kiosk.db")) as conn:
        return conn.execute(query).fetchall()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=300)
