"""What goes wrong around a kiosk: a loop that hangs, a full disk, a clock that stood still, a kernel that panics."""

from tests.appliance.books import books, books_with
from tests.appliance.machine import Machine
from tests.appliance.running import SNAPSHOT
from tests.appliance.test_keys_and_paper import printed, slips, taken

FILL = "/var/tmp/fill"
FILL_UP = f"fallocate -l $(df --output=avail -B1 / | tail -1) {FILL}; cat /dev/zero >>{FILL} 2>/dev/null || true"
PAST = "2020-01-06T01:30:00"


def main_pid(machine: Machine) -> str:
    return machine.sh("systemctl show -P MainPID kiosk").strip()


def test_a_hung_loop_is_restarted_by_the_watchdog(machine: Machine) -> None:
    before = main_pid(machine)
    machine.sh(f"kill -STOP {before}")
    machine.eventually(f'[ "$(systemctl show -P MainPID kiosk)" != {before} ] && systemctl is-active kiosk', 600)
    count = slips(machine)
    token = taken(machine, "ho-tich")
    assert printed(machine, count + 1)[-1] == token


def test_on_a_full_disk_numbers_go_on(machine: Machine) -> None:
    before = main_pid(machine)
    machine.sh(FILL_UP, 600)
    try:
        assert machine.sh("df --output=avail / | tail -1").strip() == "0"
        count = slips(machine)
        tokens = [taken(machine, key) for key in ("ho-tich", "dat-dai")]
        assert printed(machine, count + 2)[count:] == tokens
    finally:
        machine.sh(f"rm -f {FILL}")
    assert main_pid(machine) == before, "a full disk is no reason for a restart"


def test_a_clock_in_the_past_repeats_no_number(own: Machine) -> None:
    own.start(snapshot=SNAPSHOT)
    first = taken(own, "ho-tich")
    books_with(own, "its slip is done", lambda found: found.jobs_of(first)[-1]["state"] == "done")
    own.cut()
    own.start(PAST)
    own.up()
    second = taken(own, "ho-tich")
    assert printed(own, 1) == [second]
    found = books(own)
    assert found.doubled() == []
    one, two = ((ticket["series"], ticket["seq"]) for ticket in found.tickets if ticket["token"] in (first, second))
    assert two == (one[0], one[1] + 1), "the day goes on"


def test_a_time_that_somebody_says_is_kept_by_the_clock_module(own: Machine) -> None:
    own.start(snapshot=SNAPSHOT)
    said = own.sh("kiosk clock $(TZ=UTC-7 date -d '+3 hours' +%Y-%m-%dT%H:%M)")
    assert "Đã đặt mô-đun đồng hồ" in said
    module, computer = map(int, own.sh("cat /sys/class/rtc/rtc0/since_epoch && date +%s").split())
    assert abs(module - computer) <= 60
    assert "(người xác nhận)" in own.sh("kiosk clock")


def test_a_kernel_panic_is_ended_by_the_hardware_watchdog(own: Machine) -> None:
    own.start(snapshot=SNAPSHOT)
    own.leave("echo c >/proc/sysrq-trigger")
    event = own.wait_for_event("WATCHDOG", 120)
    assert event["data"]["action"] == "reset"
    own.wait_for_event("RESET", 60)
    own.release_all()
    own.up()
    token = taken(own, "ho-tich")
    assert printed(own, 1)[-1] == token
