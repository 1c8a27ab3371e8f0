"""Many kiosks at once: some are sent away, none loses anything, pages go on."""

from contextlib import ExitStack

from server.feed import room
from server.feed.models import Event
from sync import wire
from tests.server.kit import Server, batch_of


def line(n: int) -> bytes:
    stamp = wire.Stamp(wire.parse_instant("2026-11-23T00:42:10.123Z"), "ntp", "b0070001", n)
    return wire.event_line("device.started", {"app": "test"}, stamp)


def test_when_half_of_the_threads_take_pushes_the_next_kiosk_is_asked_to_come_again(lite: Server):
    batch = batch_of([], [line(1)], "k-7F3K2M", "00000001" + "a" * 8)
    with ExitStack() as full:
        while room.places.acquire(blocking=False):
            full.callback(room.places.release)
        answer = lite.push(batch)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert 2 <= int(answer.headers["Retry-After"]) <= 10
        assert not Event.objects.exists()
        assert lite.client.get("/sign-in").status_code == 200
    assert lite.push(batch).json()["head"][0] == 1


def test_a_push_gives_its_place_back_whatever_comes_of_it(lite: Server):
    for _ in range(20):
        assert lite.push(batch_of([], [line(1)], "k-7F3K2M", "00000001" + "a" * 8), token="wrong").status_code == 401
    assert lite.push(batch_of([], [line(1)], "k-7F3K2M", "00000001" + "a" * 8)).status_code == 200
