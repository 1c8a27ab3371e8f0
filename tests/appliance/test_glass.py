"""The picture on the screen of the virtual machine, through kernel mode setting and OpenGL, as QEMU has it."""

from pathlib import Path

from PIL import Image as Pictures
from PIL import ImageChops

from tests.appliance.machine import MORNING, Machine, MachineError
from tests.appliance.test_keys_and_paper import printed, slips, taken
from tests.container.figures import memory_of

BOTH = ("kiosk", "kiosk-console")
LEAST_MB = 512
"""A Pi Zero 2 W has no more."""
READY = "systemctl show -P ActiveEnterTimestampMonotonic kiosk"
BEGAN = "systemctl show -P InactiveExitTimestampMonotonic kiosk"


def colours(picture: Path) -> dict[tuple[int, int, int], float]:
    """Colour → its part of the picture, those that fill a hundredth of it at least."""
    with Pictures.open(picture) as opened:
        image = opened.convert("RGB")
    whole = image.width * image.height
    return {rgb: count / whole for count, rgb in image.getcolors(whole) or [] if count > whole / 100}


def is_page(picture: Path) -> bool:
    """Whether most of it is light, as all pages of the kiosk are; what else may be there is letters on black."""
    with Pictures.open(picture) as opened:
        dots = opened.convert("L").histogram()
    return sum(dots[128:]) > sum(dots) / 2


def changed(one: Path, other: Path) -> float:
    """The part of two pictures of the same size that differs."""
    with Pictures.open(one) as first, Pictures.open(other) as second:
        dots = ImageChops.difference(first.convert("L"), second.convert("L")).histogram()
    return sum(dots[16:]) / sum(dots)


def shown(machine: Machine, folder: Path, before: Path, timeout_s: float = 60.0) -> Path:
    """The first picture that is another one than `before`, and not only by its clock."""
    until = machine.seconds_on() + timeout_s
    while changed(before, picture := machine.picture(folder / "after.png")) < 0.05:
        if machine.seconds_on() > until:
            raise MachineError(f"the picture stays the same for {timeout_s:g} s")
        machine.idle(0.3)
    return picture


def test_the_glass_shows_the_services_and_the_number_that_was_given(machine: Machine, tmp_path: Path) -> None:
    machine.idle(20)  # a message of before goes
    before = machine.picture(tmp_path / "services.png")
    assert is_page(before)
    assert len(colours(before)) >= 3, "background, tiles, letters"
    count = slips(machine)
    machine.press("ho-tich")
    assert is_page(shown(machine, tmp_path, before))
    printed(machine, count + 1)  # else it comes out in the midst of the next proof


def first_page(machine: Machine, folder: Path, timeout_s: float = 600.0) -> float:
    """Seconds from power on until a page of the kiosk is to be seen."""
    while (seconds := machine.seconds_on()) < timeout_s:
        if is_page(machine.picture(folder / "page.png")):
            return seconds
        machine.idle(0.5)
    raise MachineError(f"no page in {timeout_s:g} s\n{machine.console()}")


def test_from_power_on_to_the_first_picture_and_the_first_press(own: Machine, tmp_path: Path) -> None:
    own.memory_mb = LEAST_MB
    own.start(MORNING)
    page = first_page(own, tmp_path)
    own.up()
    ready = int(own.sh(READY)) / 1e6
    token = taken(own, "ho-tich")
    assert printed(own, 1) == [token]
    lines = [
        ("from power on to the first picture", f"{page:.1f} s"),
        ("from the start of the kernel to the first possible press", f"{ready:.1f} s"),
        ("from the start of kiosk.service to the first possible press", f"{ready - int(own.sh(BEGAN)) / 1e6:.1f} s"),
        *((f"memory of {unit}", memory_of(own.sh, unit)) for unit in BOTH),
        ("memory that is free for more", f"{own.sh('free -m').split()[12]} MB of {LEAST_MB}"),
        ("the whole disk", f"{own.sh('du -xsm /', 600).split()[0]} MB"),
        ("program, /opt/kiosk", f"{own.sh('du -xsm /opt/kiosk').split()[0]} MB"),
    ]
    for what, value in lines:
        print(f"{what:<60} {value}", flush=True)
    assert page < ready + 60
    assert own.sh("journalctl -k -b --grep 'Out of memory' -q --no-pager || true").strip() == ""
