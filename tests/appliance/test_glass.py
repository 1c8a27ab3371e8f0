"""The picture on the screen of the virtual machine, through kernel mode setting and OpenGL, as QEMU has it."""

from pathlib import Path

from PIL import Image as Pictures
from PIL import ImageChops

from tests.appliance.machine import MORNING, Machine, MachineError
from tests.appliance.test_keys_and_paper import taken


def colours(picture: Path) -> dict[tuple[int, int, int], float]:
    """Colour → its part of the picture, those that fill a hundredth of it at least."""
    with Pictures.open(picture) as opened:
        image = opened.convert("RGB")
    whole = image.width * image.height
    return {rgb: count / whole for count, rgb in image.getcolors(whole) or [] if count > whole / 100}


def is_black(picture: Path) -> bool:
    """Whether nothing is to be seen."""
    with Pictures.open(picture) as opened:
        return max(high for _, high in opened.convert("RGB").getextrema()) < 40


def test_the_glass_shows_the_services_and_the_number_that_was_given(machine: Machine, tmp_path: Path) -> None:
    machine.idle(10)  # a message of before goes
    before = machine.picture(tmp_path / "services.png")
    with Pictures.open(before) as opened:
        assert opened.size == (1920, 1080)
    assert not is_black(before)
    assert len(colours(before)) >= 3, "background, tiles, letters"
    taken(machine, "ho-tich")
    after = machine.picture(tmp_path / "number.png")
    with Pictures.open(before) as one, Pictures.open(after) as other:
        changed = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox()
    assert changed is not None and (changed[2] - changed[0]) * (changed[3] - changed[1]) > 200_000, changed


def first_frame(machine: Machine, folder: Path, timeout_s: float = 240.0) -> float:
    """Seconds from power on until something of the kiosk is to be seen."""
    while (seconds := machine.seconds_on()) < timeout_s:
        if not is_black(machine.picture(folder / "frame.png")):
            return seconds
        machine.idle(0.5)
    raise MachineError(f"black for {timeout_s:g} s")


def test_from_power_on_to_the_first_picture_and_the_first_press(own: Machine, tmp_path: Path) -> None:
    own.start(MORNING)
    frame = first_frame(own, tmp_path)
    own.up()
    ready = own.seconds_on()
    taken(own, "ho-tich")
    said = own.sh(
        "systemd-analyze time | head -1; systemctl show -P MemoryCurrent kiosk kiosk-console kiosk-sync; free -m"
    )
    print(f"first picture {frame:.1f} s, first press {ready:.1f} s\n{said}\n{own.sh('du -xsm / /opt/kiosk')}")
    assert frame < ready + 30
