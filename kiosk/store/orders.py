"""What one process of the device asks of another, in rows: a test sheet, a key test, a restart.

queued → running → done or failed. An order that nobody took for a while is over: its process was not there, and
whoever asked has gone.
"""

from dataclasses import dataclass

from kiosk.clock import Moment, elapsed_s
from kiosk.store.database import Database, Writing
from kiosk.tickets import Row, text_of, time_of

TAKEN_S = 60
"""How long an order waits to be taken."""
KEPT = 200
"""Ended orders that are kept."""
REPLACED = "replaced"
"""The answer of an order that was asked for again before it was done."""
_OPEN = "FROM orders WHERE state IN ('queued', 'running')"


@dataclass(frozen=True, slots=True)
class Order:
    """`part` is who shall do it: kiosk, printer, console or sync. `answer` is what came of it so far."""

    id: int
    part: str
    kind: str
    data: str
    state: str
    answer: str
    by: str
    age_s: float


class Orders:
    """The table `orders`. What each order means is known by those who give and take it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def give(self, now: Moment, part: str, kind: str, *, by: str, data: str = "") -> int:
        """Ask for something; one that waits for the same part and kind already is replaced. Returns the id."""
        with self.database.writing(now) as w:
            w.conn.execute(
                "UPDATE orders SET state = 'failed', answer = ?"
                " WHERE part = ? AND kind = ? AND state IN ('queued', 'running')",
                (REPLACED, part, kind),
            )
            cursor = w.conn.execute(
                "INSERT INTO orders (part, kind, data, state, answer, by, at, boot, mono)"
                " VALUES (?, ?, ?, 'queued', '', ?, ?, ?, ?)",
                (part, kind, data, by, text_of(now.at), now.boot, now.mono),
            )
            w.conn.execute(
                "DELETE FROM orders WHERE state IN ('done', 'failed') AND id <= ?", (int(cursor.lastrowid or 0) - KEPT,)
            )
            w.emit("device.asked", {"part": part, "kind": kind, "by": by})
            return int(cursor.lastrowid or 0)

    def take(self, now: Moment, part: str) -> Order | None:
        """The oldest order for this part, now `running`; those that waited too long end."""
        if not self.database.row(f"SELECT 1 {_OPEN} AND state = 'queued' AND part = ? LIMIT 1", part):
            return None
        with self.database.writing(now) as w:
            for row in w.conn.execute(f"SELECT * {_OPEN} AND state = 'queued' AND part = ? ORDER BY id", (part,)):
                order = _order(row, now)
                late = order.age_s > TAKEN_S
                _set(w, order.id, "failed" if late else "running", "late" if late else "")
                if not late:
                    return order
        return None

    def waits(self, part: str) -> bool:
        """Whether something is asked of this part."""
        return self.database.row(f"SELECT 1 {_OPEN} AND state = 'queued' AND part = ? LIMIT 1", part) is not None

    def answer(self, now: Moment, id: int, answer: str) -> bool:
        """Tell how far it is; False when the order is over."""
        with self.database.writing(now) as w:
            return (
                w.conn.execute("UPDATE orders SET answer = ? WHERE id = ? AND state = 'running'", (answer, id)).rowcount
                > 0
            )

    def end(self, now: Moment, id: int, state: str = "done", answer: str | None = None) -> None:
        """It is done or has failed; `answer` None keeps what was told."""
        with self.database.writing(now) as w:
            _set(w, id, state, answer)

    def give_back(self, now: Moment, id: int) -> None:
        """Nothing came of it yet: it waits again."""
        with self.database.writing(now) as w:
            _set(w, id, "queued", None)

    def stop(self, now: Moment, part: str, kind: str) -> None:
        """Whoever asked wants it no more."""
        with self.database.writing(now) as w:
            w.conn.execute(
                "UPDATE orders SET state = 'done' WHERE part = ? AND kind = ? AND state IN ('queued', 'running')",
                (part, kind),
            )

    def begin(self, now: Moment, part: str) -> None:
        """The part has just started: what an earlier one was doing is over, and a restart has happened."""
        with self.database.writing(now) as w:
            w.conn.execute(
                "UPDATE orders SET state = 'done' WHERE part = ? AND (state = 'running'"
                " OR (state = 'queued' AND kind = 'restart'))",
                (part,),
            )

    def last(self, now: Moment, part: str, kind: str) -> Order | None:
        """The newest order of this kind, whatever became of it."""
        row = self.database.row("SELECT * FROM orders WHERE part = ? AND kind = ? ORDER BY id DESC LIMIT 1", part, kind)
        return _order(row, now) if row else None

    def get(self, now: Moment, id: int) -> Order | None:
        row = self.database.row("SELECT * FROM orders WHERE id = ?", id)
        return _order(row, now) if row else None


def _order(row: Row, now: Moment) -> Order:
    passed = elapsed_s(now, time_of(row["at"]), row["boot"], row["mono"], believed=True)
    # When nobody can tell how long ago it was, the kiosk was off meanwhile.
    age_s = float("inf") if passed is None else abs(passed)
    return Order(row["id"], row["part"], row["kind"], row["data"], row["state"], row["answer"], row["by"], age_s)


def _set(w: Writing, id: int, state: str, answer: str | None) -> None:
    w.conn.execute(
        "UPDATE orders SET state = ?, answer = coalesce(?, answer) WHERE id = ? AND state IN ('queued', 'running')",
        (state, answer, id),
    )
