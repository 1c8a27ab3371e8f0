"""Every moment of a record as a power cut: which disks it may leave, and whether each keeps what people were told."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.crash.disk import Disk, State
from tests.crash.judge import Judge, Told, Truth, greater
from tests.crash.recorded import Record

MOST_SAID = 20


@dataclass(slots=True)
class Outcome:
    """`moments` at which the power was cut, `states` of the disk that were different, `issued`: in so many of them one
    more number was given; `problems` with their moment, the first ones of `wrong`."""

    moments: int = 0
    states: int = 0
    issued: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)

    def found(self, problems: list[str], when: str) -> None:
        self.wrong += len(problems)
        room = MOST_SAID - len(self.problems)
        self.problems += [f"{when}: {problem}" for problem in problems[:room]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How thorough a replay is: random disks per moment, and in which share of all disks one more number is given."""

    chances: int = 1
    issues: float = 0.02
    seed: int = 1


def replay(record: Record, truth: Truth, judge: Judge, disk: Disk, effort: Effort) -> Outcome:
    """Cut the power at every moment of the record."""
    rng, outcome = random.Random(effort.seed), Outcome()
    for when, told in moments(record, disk):
        outcome.moments += 1
        for kind, state in disks(disk, rng, effort.chances):
            before = judge.states
            outcome.found(judge.problems(state, told), f"line {when}, {kind}")
            if judge.states > before and told.slips and rng.random() < effort.issues:
                outcome.issued += 1
                _next_is_greater(outcome, judge, state, told, truth, f"line {when}, {kind}")
    outcome.states = judge.states
    return outcome


def moments(record: Record, disk: Disk) -> Iterator[tuple[int, Told]]:
    """Whenever the disk changed or somebody was told something: the line of the record, and all that was told."""
    news = sorted([(at, "slip", [token]) for at, token in record.slips()] + [(at, "", w) for at, w in record.marks()])
    told = Told()
    yield 0, told
    for call in sorted(record.calls, key=lambda call: call.ended):
        while news and news[0][0] <= call.ended:
            at, kind, words = news.pop(0)
            told = replace(told, slips=(*told.slips, words[0])) if kind else _after(told, words[1:])
            yield at, told
        if disk.apply(call):
            yield call.ended, told


def _after(told: Told, words: list[str]) -> Told:
    match words:
        case ["office", sha256]:
            return replace(told, office=sha256)
        case ["sent", events]:
            return replace(told, events=int(events))
        case ["restoring", slips]:
            return replace(told, kept=int(slips))
    return told


def disks(disk: Disk, rng: random.Random, chances: int) -> Iterator[tuple[str, State]]:
    """What a power cut may leave now."""
    yield "all lost", disk.lost()
    yield "all kept", disk.kept()
    if disk.namings:
        yield "names lost", disk.nameless()
        yield "contents lost", disk.empty()
    for n in range(chances if disk.is_unsettled() else 0):
        pages = bool(n % 2) if chances > 1 else rng.random() < 0.5
        yield "pages by chance" if pages else "writes by chance", disk.chance(rng, pages=pages)


def _next_is_greater(outcome: Outcome, judge: Judge, state: State, told: Told, truth: Truth, when: str) -> None:
    for token in told.slips[-1:]:
        new = judge.next_number(state, truth.given[token][1])
        if not greater(new, told, truth):
            outcome.found([f"the next number is {new}, which is on paper"], when)
