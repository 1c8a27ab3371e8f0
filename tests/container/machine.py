"""A machine that is a container: its files, its boot, its end, a cable to this machine, and commands inside of it."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.container.base import ROOT, Base
from tests.container.telling import NotAsPromised, eventually, holds

LIFE_S = 1200
"""No container outlives this, whatever became of the test."""
ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root", "LANG=C.UTF-8")
SOURCES = "/usr/src/kiosk"
STICK = "/mnt/stick"


class Machine:
    """A Debian in a folder. Inside there is no network but a cable to this machine, at `there` and `here`."""

    def __init__(self, base: Base) -> None:
        self._stick = base.stick
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
        with self._log.open("wb") as log:
            self._boot = subprocess.Popen(
                ["timeout", str(LIFE_S), "systemd-nspawn", "-q", *options],
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60
        while not (leader := self._find_leader()):
            if self._boot.poll() is not None or time.monotonic() > until:
                raise NotAsPromised(
                    f"systemd-nspawn boots a container\n{self._log.read_text(errors='replace')[-3000:]}"
                )
            time.sleep(0.05)
        self.leader = leader
        eventually(60, "the system is up", self._is_up)
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
        try:
            if self.leader:
                self.sh("systemctl --no-block poweroff")
                boot.wait(60)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.leader = 0
            if boot.poll() is None:
                boot.terminate()
            boot.wait(60)

    def remove(self) -> None:
        """Nothing is left of it."""
        self.power_off()
        shutil.rmtree(self.root, ignore_errors=True)
        self._log.unlink(missing_ok=True)

    # --- commands and files in it -----------------------------------------------------------------------------

    def words(self, *command: str) -> list[str]:
        """The command, as this machine starts it inside."""
        return [
            *("nsenter", "-t", str(self.leader), "-m", "-p", "-C", "-n", "-u", "-i", "--", "env", "-i"),
            *ENVIRONMENT,
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
            timeout=seconds,
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
