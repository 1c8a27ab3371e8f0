"""A QEMU machine that poses as a Raspberry Pi 4: keys pressed from outside, power that can be cut, a screen."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.appliance.image import Image
from tests.appliance.printer import PaperSide

QEMU = "qemu-system-aarch64"
BOARD = ("-machine", "virt,gic-version=3", "-cpu", "cortex-a72", "-smp", "2")
REVISION, MODEL = "c03115", "Raspberry Pi 4 Model B Rev 1.5"
WORDS = "root=/dev/vda rw console=ttyAMA0 quiet systemd.show_status=0 audit=0 vt.global_cursor_default=0 consoleblank=0"
MORNING = "2026-11-23T01:30:00"
"""UTC: half past eight on a Monday in Vietnam."""
KEYS = {"ho-tich": 4, "chung-thuc": 5, "dat-dai": 6, "priority": 7, "call:1": 2}
LINES = (0, 1, 2, 4, 5, 6, 7)
PRESS_S = 0.4
BOOT_S = 1800.0
UP = "systemctl is-active kiosk.service"
ALL_UP = "systemctl is-active kiosk kiosk-console kiosk-sync kiosk-firewall"
ASK_S = 30.0
"""A question gets lost when the machine is reset meanwhile."""


class MachineError(AssertionError):
    """Something inside of the machine is not as promised, or did not come in time."""


class Silent(MachineError):
    """Nothing was said in time."""


class Machine:
    """One machine on an overlay of the image's disk, which stays in `folder` over power cuts.

    `ports` maps ports of this computer to ports of the machine. Use it as a context: the end is by power cut.
    Another `memory_mb` counts from the next start without a snapshot.
    """

    def __init__(self, image: Image, folder: Path, ports: dict[int, int] | None = None) -> None:
        self.image = image
        self.folder = folder
        self.disk = folder / "disk.qcow2"
        self.ports = ports or {}
        self.memory_mb = 1024
        self.paper: PaperSide | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)
        if not self.disk.exists():
            _run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.disk), "-F", "raw", str(self.disk))

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    # ---- power ----

    def start(self, clock: str = MORNING, *, snapshot: str = "") -> None:
        """Power on, `clock` is what the clock module says (UTC); or go on where the snapshot was taken."""
        self._doors = {name: self._door(name) for name in ("qmp", "qtest", "agent", "printer")}
        board = [*BOARD, "-m", str(self.memory_mb)]
        tree = ["-dtb", str(_device_tree(self.folder, board))]
        resumed = ["-loadvm", snapshot] if snapshot else []
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["nice", "-n", "5", QEMU, *board, *tree, *self.devices(clock), *resumed],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._started = time.monotonic()
        self.connect()
        if snapshot:
            self.sh("true")  # it runs again

    def connect(self) -> None:
        """Take the machine's sockets; all keys are up."""
        self._qmp = _Lines(self._connected("qmp"))
        self._qmp.line(10)
        self.events: list[dict[str, Any]] = []
        self.qmp("qmp_capabilities")
        self._qtest = _Lines(self._connected("qtest"))
        self._gpio = self._find_gpio()
        self.release_all()
        self.paper = PaperSide(self._connected("printer"))
        self.paper.start()
        self._agent = _Lines(self._connected("agent"))

    def cut(self) -> None:
        """The power is gone, now: kill -9."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL)
        process.wait()
        for door in self._doors.values():
            door.close()
        if self.paper is not None:
            self.paper.join(10)  # what had left the machine arrives
            self.paper.close()
        for lines in (self._qmp, self._qtest, self._agent):
            lines.close()

    def off(self) -> None:
        """Shut down in order."""
        with suppress(MachineError):
            self.sh("systemctl poweroff --no-block")
        assert self._process is not None
        self._process.wait(120)
        self.cut()

    def save(self, snapshot: str) -> None:
        """Keep memory and disk as they are now, in the disk's file."""
        said = self.qmp("human-monitor-command", **{"command-line": f"savevm {snapshot}"})
        if said:
            raise MachineError(f"savevm: {said}")

    # ---- inside ----

    def up(self, timeout_s: float = BOOT_S) -> None:
        """Return as soon as the kiosk says that it is ready."""
        self.eventually(UP, timeout_s)

    def sh(self, command: str, timeout_s: float = 120.0) -> str:
        """What a shell command says inside of the machine; raises MachineError unless it ends with 0."""
        code, said = self.tried(command, timeout_s)
        if code:
            raise MachineError(f"{command} ended with {code}:\n{said}")
        return said

    def tried(self, command: str, timeout_s: float = 120.0) -> tuple[int, str]:
        """Exit status and what it said. Raises Silent when nothing answers."""
        self._count += 1
        number = self._count
        self._agent.send(json.dumps({"id": number, "sh": command, "timeout_s": timeout_s}))
        until = time.monotonic() + timeout_s + 30
        while (left := until - time.monotonic()) > 0:
            with suppress(ValueError):  # half a line from before a restart
                answer = json.loads(self._agent.line(left))
                if answer["id"] == number:
                    return answer["rc"], answer["out"]
        raise Silent(f"no answer to {command}")

    def leave(self, command: str) -> None:
        """Send a shell command that nobody will answer."""
        self._count += 1
        self._agent.send(json.dumps({"id": self._count, "sh": command, "timeout_s": 60}))

    def eventually(self, command: str, timeout_s: float = 60.0, pause_s: float = 0.3) -> str:
        """What the command says as soon as it ends with 0."""
        until, last = time.monotonic() + timeout_s, ""
        while time.monotonic() < until:
            with suppress(Silent):
                code, last = self.tried(command, ASK_S)
                if not code:
                    return last
            time.sleep(pause_s)
        raise MachineError(f"{command} did not come true in {timeout_s:g} s: {last}\n{self.console()}")

    def console(self) -> str:
        """The end of what the kernel and systemd said."""
        return (self.folder / "console.log").read_text(errors="replace")[-3000:]

    # ---- outside ----

    def press(self, key: str, hold_s: float = PRESS_S) -> None:
        """A finger on a key."""
        self.key(key, True)
        time.sleep(hold_s)
        self.key(key, False)

    def key(self, key: str, down: bool) -> None:
        """A key goes down or up: its pin is pulled to ground, or not."""
        self._line(KEYS[key], 0 if down else 1)

    def seconds_on(self) -> float:
        """Since the power came."""
        return time.monotonic() - self._started

    def stand_still(self) -> None:
        """Its processors and clocks stop, and nothing in it notices."""
        self.qmp("stop")

    def go_on(self) -> None:
        """After `stand_still`."""
        self.qmp("cont")

    def idle(self, seconds: float) -> None:
        """Let it go on by itself."""
        time.sleep(seconds)

    def release_all(self) -> None:
        """All pins high, as the pull-ups of a Pi do."""
        for line in LINES:
            self._line(line, 1)

    def picture(self, file: Path) -> Path:
        """What is on the screen now, as a PNG."""
        self.qmp("screendump", filename=str(file), format="png")
        return file

    def qmp(self, command: str, **arguments: object) -> Any:
        """Ask QEMU; raises MachineError with its answer when it refuses."""
        self._qmp.send(json.dumps({"execute": command, "arguments": arguments}))
        while True:
            answer = json.loads(self._qmp.line(30))
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise MachineError(f"{command}: {answer['error']}")
            else:
                return answer["return"]

    def wait_for_event(self, name: str, timeout_s: float) -> dict[str, Any]:
        """QEMU's word for what happened to the machine."""
        until = time.monotonic() + timeout_s
        while not (found := [event for event in self.events if event["event"] == name]):
            if (left := until - time.monotonic()) <= 0:
                raise MachineError(f"no {name} in {timeout_s:g} s")
            self.events.append(json.loads(self._qmp.line(left)))
        return found[0]

    # ---- parts ----

    def devices(self, clock: str) -> list[str]:
        forwarded = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in self.ports.items())
        words = {
            "-kernel": self.image.kernel,
            "-initrd": self.image.initrd,
            "-append": WORDS,
            "-accel": "tcg,thread=multi",
            "-display": "none",
            "-rtc": f"base={clock},clock=host",
            "-drive": f"file={self.disk},if=virtio,format=qcow2,cache=writeback",
            "-serial": f"file:{self.folder}/console.log",
            "-qmp": f"unix:{self.folder}/qmp",
            "-qtest": f"unix:{self.folder}/qtest",
            "-qtest-log": "/dev/null",
            "-netdev": f"user,id=net0{forwarded}",
            "-action": "watchdog=reset",
        }
        devices = [
            "virtio-gpu-pci,xres=1280,yres=720",
            "qemu-xhci,id=xhci",
            "virtio-keyboard-pci",
            "i6300esb",
            "virtio-serial-pci",
            "virtio-net-pci,netdev=net0,romfile=",
            "virtserialport,chardev=agent,name=appliance.agent",
            "virtserialport,chardev=printer,name=appliance.printer",
        ]
        sockets = [f"socket,id={name},path={self.folder}/{name}" for name in ("agent", "printer")]
        return [
            "-nodefaults",
            *(str(word) for pair in words.items() for word in pair),
            *(word for one in sockets for word in ("-chardev", one)),
            *(word for one in devices for word in ("-device", one)),
        ]

    def _door(self, name: str) -> socket.socket:
        """A socket at which QEMU will come."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(path))
        door.listen(1)
        return door

    def _connected(self, name: str) -> socket.socket:
        with self._doors.pop(name) as door:
            door.settimeout(20)
            try:
                return door.accept()[0]
            except TimeoutError as error:
                said = (self.folder / "qemu.log").read_text()[-2000:]
                raise MachineError(f"QEMU does not come to {name}: {said}") from error

    def _find_gpio(self) -> str:
        for where in ("/machine/unattached", "/machine"):
            for child in self.qmp("qom-list", path=where):
                if "pl061" in child["type"]:
                    return f"{where}/{child['name']}"
        raise MachineError("this QEMU's machine has no GPIO controller")

    def _line(self, line: int, level: int) -> None:
        self._qtest.send(f"set_irq_in {self._gpio} unnamed-gpio-in {line} {level}")
        while not self._qtest.line(30).startswith("OK"):
            pass


class _Lines:
    """Lines of text over a socket, with a time limit."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._rest = b""

    def send(self, line: str) -> None:
        self._socket.settimeout(60)
        self._socket.sendall(line.encode() + b"\n")

    def line(self, timeout_s: float) -> str:
        """The next one; raises MachineError when none comes in time, or the machine has gone."""
        until = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            self._socket.settimeout(max(0.01, until - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError as error:
                raise Silent(f"nothing was said for {timeout_s:g} s") from error
            except OSError as error:
                raise MachineError(f"the machine has gone: {error}") from error
            if not data:
                raise MachineError("the machine has gone")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace")

    def close(self) -> None:
        self._socket.close()


def _device_tree(folder: Path, board: Sequence[str]) -> Path:
    """QEMU's own, with the name and the revision of a Pi, by which gpiozero knows its pins."""
    file = folder / "virt.dtb"
    _run(QEMU, "-machine", f"virt,gic-version=3,dumpdtb={file}", *board[2:], "-display", "none")
    _run("fdtput", "-p", "-t", "x", str(file), "/system", "linux,revision", REVISION)
    _run("fdtput", "-t", "s", str(file), "/", "model", MODEL)
    return file


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise MachineError(f"{' '.join(command)}: {(done.stdout + done.stderr).decode(errors='replace')}")
