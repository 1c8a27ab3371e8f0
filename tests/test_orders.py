"""What other processes ask of the running kiosk is done, also when the database could not be used at first."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kiosk.office import Office, sample
from kiosk.orders import Orders
from kiosk.present.words import Words
from kiosk.store import Store, StoreBusy
from kiosk.store.database import connect
from kiosk.texts import Texts
from tests.office import moment

WORDS = Words(sample(), Texts("vi"))


class Loop:
    """The kiosk's loop as far as orders know it: it notes what it is to do. Neither keys nor pictures."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def read(self, text: str) -> tuple[Office, Words] | None:
        return sample(), WORDS

    def adopt(self, office: Office, words: Words) -> None:
        self.did.append("adopt")

    def settle(self) -> None:
        self.did.append("settle")

    def poke(self) -> None:
        self.did.append("poke")

    def restart(self) -> None:
        self.did.append("restart")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Another program keeps the database to itself."""
    with closing(connect(folder / "kiosk.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def loop(store: Store) -> Loop:
    store.database.be_patient(1)
    return Loop()


def test_an_order_that_could_not_be_taken_is_taken_in_the_next_round_though_nothing_was_written(
    store: Store, tmp_path: Path, loop: Loop
):
    orders = Orders(store, sample().sha256, loop)
    store.orders.give(moment(0), "kiosk", "restart", by="do-van-h")
    with held(tmp_path), pytest.raises(StoreBusy):
        orders.look(moment(1))
    assert loop.did == []
    orders.look(moment(2))
    assert loop.did == ["restart"]
    orders.look(moment(3))
    orders.look(moment(4))
    assert loop.did == ["restart"]


def test_a_restart_happens_also_when_its_end_cannot_be_written(store: Store, tmp_path: Path):
    class Blocked(Loop):
        """Another program takes the database for itself as soon as the order was taken."""

        def restart(self) -> None:
            super().restart()
            other.execute("BEGIN IMMEDIATE")

    loop = Blocked()
    store.database.be_patient(1)
    with closing(connect(tmp_path / "kiosk.db")) as other:
        orders = Orders(store, sample().sha256, loop)
        store.orders.give(moment(0), "kiosk", "restart", by="do-van-h")
        with pytest.raises(StoreBusy):
            orders.look(moment(1))
        other.execute("ROLLBACK")
    assert loop.did == ["restart"]
    orders.begin(moment(9))
    orders.look(moment(10))
    assert loop.did == ["restart"]


def test_a_document_that_could_not_be_adopted_is_adopted_in_the_next_round(store: Store):
    class Late(Loop):
        """The first time the database cannot be read."""

        def adopt(self, office: Office, words: Words) -> None:
            super().adopt(office, words)
            if len(self.did) == 1:
                raise StoreBusy("another program holds the database: end it")

    loop = Late()
    orders = Orders(store, "", loop)
    store.offices.apply(moment(0), sample().to_json().decode(), sample().sha256, 1, by="do-van-h")
    with pytest.raises(StoreBusy):
        orders.look(moment(1))
    orders.look(moment(2))
    orders.look(moment(3))
    assert loop.did == ["adopt", "adopt"]


def test_the_sheet_that_chosen_settings_are_tried_with_is_asked_for_once_they_are_in_force(store: Store, loop: Loop):
    orders = Orders(store, sample().sha256, loop)
    store.orders.give(moment(0), "kiosk", "settings", by="set-up", data="test-sheet")
    orders.look(moment(1))
    assert loop.did == ["settle", "poke"]
    order = store.orders.last(moment(2), "printer", "test-sheet")
    assert order and (order.state, order.by) == ("queued", "set-up")
