"""A machine that is a container: its files, its boot, its end, a cable to this machine, and commands inside of it.

One of another architecture is slower; all patience with a machine is multiplied by its pace, here and nowhere else.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.container.base import ROOT, Base
from tests.container.telling import NotAsPromised, eventually, holds
from tests.foreign import EMULATED, NATIVE, PATIENT, SHIM, SLOW, UNPACKERS, build_shim, collect_native, pace

LIFE_S = 1200
"""No container outlives this times its pace, whatever became of the test."""
EVERY_S = 0.2
ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root", "LANG=C.UTF-8")
FOREIGN_ENVIRONMENT = (ENVIRONMENT[0].replace("=", f"={NATIVE}:"), *ENVIRONMENT[1:], f"APT_CONFIG={NATIVE}/apt")
SOURCES = "/usr/src/kiosk"
STICK = "/mnt/stick"


class Machine:
    """A Debian in a folder. Inside there is no network but a cable to this machine, at `there` and `here`."""

    def __init__(self, base: Base) -> None:
        self._stick = base.stick
        self.pace = pace(base.architecture)
        self.name = f"kt{os.getpid()}"
        self.root = Path(tempfile.mkdtemp(prefix=f"{self.name}.", dir="/var/tmp"))
        self._log = self.root.with_suffix(".log")
        self._boot: subprocess.Popen[bytes] | None = None
        self.leader = 0
        net = f"10.231.{os.getpid() % 250}"
        self.here, self.there = f"{net}.1", f"{net}.2"
        self.root.chmod(0o755)
        subprocess.run(["tar", "-C", self.root, "-xf", base.system], check=True, timeout=120)
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        (self.root / "etc/resolv.conf").touch()
        self._copy_sources()
        if self.is_foreign:
            self._help_along()

    @property
    def is_foreign(self) -> bool:
        """Whether its programs run through an emulator (tests/foreign.py says what cannot be seen then)."""
        return self.pace > 1

    def _help_along(self) -> None:
        """This machine's programs for what the emulator cannot do or does too slowly, and more time for the loops."""
        native = self.root / NATIVE.lstrip("/")
        native.mkdir()
        collect_native(native, "nft", *UNPACKERS)
        build_shim(native)
        # Debian's own program will lie beside it, and come and go with its package.
        (self.root / "usr/sbin/nft").symlink_to(f"{NATIVE}/nft")
        with (self.root / "var/lib/dpkg/diversions").open("a") as diversions:
            diversions.write("/usr/sbin/nft\n/usr/sbin/nft.distrib\n:\n")
        # Two names: of two files of one name systemd reads that of the unit alone.
        files = {"service.d/emulated": EMULATED, "kiosk.service.d/slow": SLOW}
        files |= {"kiosk-console.service.d/slow": SLOW, "kiosk-sync.service.d/slow": PATIENT}
        for path, text in files.items():
            file = self.root / f"usr/local/lib/systemd/system/{path}.conf"
            file.parent.mkdir(parents=True)
            file.write_text(text)

    def _copy_sources(self) -> None:
        """The tree as a technician unpacks it, with what is not committed yet."""
        away = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build", "dist", ".hypothesis")
        shutil.copytree(ROOT, self.root / SOURCES.lstrip("/"), ignore=away)

    # --- its life ---------------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Until systemd says that all is started. Raises NotAsPromised."""
        options = ["-D", str(self.root), f"--machine={self.name}", "--register=no", "--keep-unit", "--resolv-conf=off"]
        # Nobody cuts its power, and killed processes lose nothing that the kernel has.
        options += ["--network-veth", "--suppress-sync=yes", f"--bind-ro={self._stick}:{STICK}", "--boot"]
        # A board lets every program ask how the clock is.
        options.append("--system-call-filter=adjtimex clock_adjtime")
        if self.is_foreign:
            options.insert(0, f"--setenv=LD_PRELOAD={SHIM}")
        life = ["timeout", "-k60", str(LIFE_S * self.pace)]
        with self._log.open("wb") as log:
            self._boot = subprocess.Popen(
                # It ends with this process too, however that ends.
                ["setpriv", "--pdeathsig", "TERM", *life, "systemd-nspawn", "-q", *options],
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60 * self.pace
        while not (leader := self._find_leader()):
            if self._boot.poll() is not None or time.monotonic() > until:
                raise NotAsPromised(
                    f"systemd-nspawn boots a container\n{self._log.read_text(errors='replace')[-3000:]}"
                )
            time.sleep(0.05)
        self.leader = leader
        self.eventually(60, "the system is up", self._is_up)
        # systemd-nspawn lays a number of its own over this one, which units with a /proc of their own do not see:
        # what a command asks of the kiosk would come from another boot.
        self.must("all see the same boot", "umount /proc/sys/kernel/random/boot_id")
        self._plug_in_cable()

    def _find_leader(self) -> int:
        """The container's first process, among its children and theirs; 0 before there is one."""
        assert self._boot
        # By its name: for a moment systemd-nspawn has another child, which only makes the namespaces.
        for nspawn in _children(self._boot.pid, "systemd-nspawn"):
            for leader in _children(nspawn, "systemd"):
                return leader
        return 0

    def _is_up(self) -> bool:
        return self.ask("systemctl is-system-running") in ("running", "degraded")

    def _plug_in_cable(self) -> None:
        inside = ["nsenter", "-t", str(self.leader), "-n"]
        for where, device, address in (([], f"ve-{self.name}", self.here), (inside, "host0", self.there)):
            for words in (["address", "replace", f"{address}/30", "dev", device], ["link", "set", device, "up"]):
                subprocess.run([*where, "ip", *words], check=True, timeout=10)

    def power_off(self) -> None:
        """In an orderly way, else by force."""
        boot, self._boot = self._boot, None
        if boot is None:
            return
        with suppress(subprocess.TimeoutExpired):
            if self.leader:
                self.sh("systemctl --no-block poweroff")
                boot.wait(60 * self.pace)
        self.leader = 0
        if boot.poll() is None:
            boot.terminate()
        boot.wait(60)

    def remove(self) -> None:
        """Nothing is left of it; it need not end well."""
        if self._boot and self.leader:
            with suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
            self.leader = 0
        self.power_off()
        shutil.rmtree(self.root, ignore_errors=True)
        self._log.unlink(missing_ok=True)

    # --- commands and files in it -----------------------------------------------------------------------------

    def words(self, *command: str) -> list[str]:
        """The command, as this machine starts it inside."""
        return [
            *("nsenter", "-t", str(self.leader), "-m", "-p", "-C", "-n", "-u", "-i", "--", "env", "-i"),
            *(FOREIGN_ENVIRONMENT if self.is_foreign else ENVIRONMENT),
            *command,
        ]

    def sh(self, script: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """A script of the shell inside; its output and status."""
        return subprocess.run(
            self.words("sh", "-ec", script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds * self.pace,
            check=False,
        )

    def ask(self, script: str) -> str:
        """What it says, whatever its status."""
        return self.sh(script).stdout.strip()

    def must(self, sentence: str, script: str, seconds: float = 300) -> str:
        """A script that ends well; what it said. Raises NotAsPromised."""
        done = self.sh(script, seconds)
        holds(sentence, done.returncode == 0, f"{script}: status {done.returncode}\n{done.stdout[-4000:]}")
        return done.stdout

    def eventually(self, seconds: float, sentence: str, fact: Callable[[], object]) -> None:
        """Ask until it is so. Raises NotAsPromised after so many seconds times its pace."""
        eventually(seconds * self.pace, sentence, fact, EVERY_S * self.pace)

    def show(self, unit: str, what: str) -> str:
        """A property of a unit."""
        return self.ask(f"systemctl show -P {what} {unit}")

    def inside(self, path: str) -> Path:
        """A path in the running container, with its devices, seen from here; symbolic links in it must be relative."""
        return Path(f"/proc/{self.leader}/root{path}")

    def journal(self) -> str:
        return self.ask("journalctl -u 'kiosk*' -n 80 --no-pager -o short-precise") if self.leader else ""


def _children(pid: int, name: str) -> list[int]:
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return [child for child in found if Path(f"/proc/{child}/comm").read_text().strip() == name]
    except OSError:
        return []
