"""Releases of this tree, made and signed inside the container, and what becomes of each when it is installed."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.container.base import ROOT
from tests.container.kiosk import UNITS, Hall
from tests.container.machine import SOURCES, STICK, Machine
from tests.container.telling import NotAsPromised, holds

HOME = "/srv/releases"
RELEASES = "http://127.0.0.1:8099/"
"""Where the kiosk looks for newer ones by itself: a server in the container."""
FETCHED = "/var/lib/kiosk/updates"
SIGNERS = "/etc/kiosk/release-signers"
MADE_S = 600
TRIED_S = 600
"""So long a release is tried before it is confirmed (kiosk-healthy.timer)."""
MAKE = """
mkdir -p {home} && cd {home}
ssh-keygen -q -t ed25519 -N '' -f publisher
ssh-keygen -q -t ed25519 -N '' -f stranger
make() {{ # NAME VERSION
  cp -a {sources} "$1"
  sed -i "s/^version = .*/version = \\"$2\\"/" "$1/pyproject.toml"
  sed -i "s/^__version__ = .*/__version__ = \\"$2\\"/" "$1/kiosk/__init__.py"
}}
release() {{ # NAME
  PIP_NO_INDEX=1 PIP_FIND_LINKS={stick}/wheels "$1/scripts/release.sh" "dist-$1" --key publisher
}}
make newer {newer}
release newer
make broken {broken}
echo 'raise RuntimeError("this release cannot start")' >>broken/kiosk/app.py
release broken
make mute {mute}
printf '\n\ndef opened(*_, **more):\n    return shut("this release has a fault")\n' >>mute/kiosk/standing.py
release mute
# What others make of a good one: a byte more, and a signature of their own.
mkdir tampered strange
cp dist-newer/*.tar.gz* tampered
for file in tampered/*.tar.gz; do printf x >>"$file"; done
cp dist-newer/*.tar.gz strange && ssh-keygen -q -Y sign -n kiosk-release -f stranger strange/*.tar.gz
"""


def versions() -> tuple[str, str, str, str]:
    """This tree's, and the three that follow."""
    found = re.search(r'^version = "(\d+)\.(\d+)\.(\d+)', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    major, minor, patch = map(int, found.groups())
    own, newer, broken, mute = (f"{major}.{minor}.{patch + n}" for n in range(4))
    return own, newer, broken, mute


class Making:
    """Releases are made while other things are looked at."""

    def __init__(self, machine: Machine) -> None:
        _, newer, broken, mute = versions()
        script = MAKE.format(home=HOME, sources=SOURCES, stick=STICK, newer=newer, broken=broken, mute=mute)
        self._pace = machine.pace
        self._process = subprocess.Popen(
            machine.words("sh", "-ec", script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self) -> None:
        """Until they are there. Raises NotAsPromised."""
        said, _ = self._process.communicate(timeout=MADE_S * self._pace)
        holds("scripts/release.sh makes signed releases", self._process.returncode == 0, said[-4000:])


def refusals(hall: Hall) -> None:
    """What nobody signed, or somebody else, is not installed; the kiosk does not notice."""
    machine, pid = hall.machine, hall.pid("kiosk")
    runs = running(machine)
    _refused(machine, "a release is refused while no key is trusted", "dist-newer", "No key is trusted yet")
    machine.must(
        "the publisher's key is trusted",
        f"""echo "publisher@example $(cut -d' ' -f1,2 {HOME}/publisher.pub)" >{SIGNERS}""",
    )
    _refused(
        machine, "a file that was changed after it was signed is refused", "tampered", "is damaged, or was changed"
    )
    _refused(machine, "a release that a stranger has signed is refused", "strange", "is not signed by a key")
    hall.undisturbed("the old kiosk goes on meanwhile", pid)
    holds("in the old release", running(machine) == runs, running(machine))


def _refused(machine: Machine, sentence: str, folder: str, says: str) -> None:
    done = machine.sh(f"kiosk update {HOME}/{folder}/*.tar.gz")
    holds(sentence, done.returncode == 1 and says in done.stdout, f"status {done.returncode}\n{done.stdout}")


def running(machine: Machine) -> str:
    """Name of the release whose program the kiosk's process is, "" without one."""
    command = machine.ask("tr '\\0' ' ' </proc/$(systemctl show -P MainPID kiosk)/cmdline")
    found = re.search(r"/opt/kiosk/releases/([^/]+)/", command)
    return found[1] if found else ""


def update(hall: Hall) -> None:
    """A good release is found at night, runs, and stays once it has run for ten minutes."""
    machine, newer = hall.machine, versions()[1]
    before, pid = hall.last(), hall.pid("kiosk")
    with _serving(machine, f"{HOME}/dist-newer"):
        machine.must("a newer release is fetched by itself", "systemctl start kiosk-update", 600)
        waits = "journalctl -u kiosk-update -o cat | grep 'is here, and waits: the office is open'"
        machine.must("but not installed while the office is open", waits)
        hall.undisturbed("and nobody is disturbed", pid)
    # The office is open day and night here; this is what the kiosk's user says when it is closed.
    machine.must("later it may be", f"runuser -u kiosk -- sh -c 'cd {FETCHED} && ls *.tar.gz >r && mv r ready'")
    machine.must("root's helper installs it in its sandbox", "systemctl start kiosk-update-install", 600)
    machine.eventually(
        60, f"{newer} runs", lambda: running(machine).startswith(f"{newer}+") and hall.is_active("kiosk")
    )
    hall.goes_on(before)
    machine.eventually(60, "upload and pages run too", lambda: all(map(hall.is_active, UNITS)))
    machine.must("asked at once, its health is not confirmed yet", "systemctl start kiosk-healthy.service")
    holds("it is still being tried", _is_tried(machine))
    status = machine.show("kiosk", "StatusText")
    holds("systemd is told that numbers are given", status == "open", status)
    again = machine.sh(f"{SOURCES}/install.sh --offline {STICK}")
    refused = again.returncode == 1 and "still being tried" in again.stdout
    holds("the installer is not laid over it", refused, f"status {again.returncode}\n{again.stdout}")
    said = _after_ten_minutes(machine)
    holds(f"after ten minutes {newer} is confirmed", "is healthy" in said, said)
    holds("nothing is tried any more", not _is_tried(machine))
    machine.must("the next one is judged after a boot too", "systemctl is-enabled kiosk-healthy.timer")


def _after_ten_minutes(machine: Machine) -> str:
    """What root's installed helper says, in a clock of its own, in which so much time has passed."""
    words = ["unshare", "--time", "--monotonic", str(TRIED_S), "--fork", "--"]
    helper = machine.words("/usr/local/lib/kiosk/kiosk_trial.py", "healthy")
    done = subprocess.run([*words, *helper], capture_output=True, text=True, timeout=180 * machine.pace, check=False)
    return f"{done.stdout}{done.stderr}"


@contextmanager
def _serving(machine: Machine, folder: str) -> Iterator[None]:
    """The folder is to be had at RELEASES, until the end of the block."""
    address = urlsplit(RELEASES)
    words = ["python3", "-m", "http.server", "--bind", str(address.hostname), "-d", folder, str(address.port)]
    server = subprocess.Popen(machine.words(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    asked = f"python3 -c 'import urllib.request as r; r.urlopen(\"{RELEASES}\")'"
    try:
        machine.eventually(30, "a server has releases", lambda: machine.sh(asked).returncode == 0)
        yield
    finally:
        server.terminate()
        server.wait(30)


def _is_tried(machine: Machine) -> bool:
    return (machine.root / "var/lib/kiosk-release/trial.json").exists()


def come_back(hall: Hall) -> None:
    """A release that cannot start is taken back, by nobody."""
    machine, (_, newer, broken, _) = hall.machine, versions()
    before, name = hall.last(), running(machine)
    machine.must("kiosk update takes a release that cannot start", f"kiosk update {HOME}/dist-broken/*.tar.gz", 600)
    holds(f"{broken} is switched to", broken in machine.ask("readlink /opt/kiosk/current"))
    machine.eventually(
        120,
        f"after three failed starts {newer} runs again, and nobody did anything",
        lambda: running(machine) == name and hall.is_active("kiosk"),
    )
    status = machine.must("kiosk update tells of it", "kiosk update --status")
    if not re.search(rf"{re.escape(broken)}\S*: 3 starts failed", status):
        raise NotAsPromised(f"kiosk update tells why it was taken back\n{status}")
    hall.goes_on(before)
    _refused(machine, "what was taken back is not installed again", "dist-broken", "was taken back once")


def give_numbers(hall: Hall) -> None:
    """A release that runs, but gives no numbers, is taken back after ten minutes."""
    machine, (_, newer, _, mute) = hall.machine, versions()
    before, name = hall.last(), running(machine)
    machine.must("kiosk update takes a release that gives no numbers", f"kiosk update {HOME}/dist-mute/*.tar.gz", 600)
    machine.eventually(60, f"{mute} runs", lambda: running(machine).startswith(f"{mute}+"))
    machine.eventually(60, "with upload and pages", lambda: all(map(hall.is_active, UNITS)))
    said = _after_ten_minutes(machine)
    holds("after ten minutes it is found out", "this release has a fault" in said, said)
    machine.eventually(60, f"{newer} runs again", lambda: running(machine) == name and hall.is_active("kiosk"))
    hall.goes_on(before)
