"""A machine in a folder on which releases are installed: tiny releases, real keys, a note of what systemd was asked.

The fake systemctl answers `show` from files and starts nothing; the fake setpriv stays who it is. A release here is a
shell script that says whether it fits.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent.parent
HELPERS = HERE / "systemd"
UNIT = "usr/local/lib/systemd/system/kiosk.service"

SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$FAKES/asked"
for word; do case $word in -*) ;; *) words="$words $word" ;; esac; done
set -- $words
if [ "$1" = show ]; then
  cat "$FAKES/units/$3/$2" 2>/dev/null || echo
  [ ! -e "$FAKES/units/$3/$2.next" ] || mv "$FAKES/units/$3/$2.next" "$FAKES/units/$3/$2"
fi
[ "${CUT:-}" != "systemctl $1" ] || kill -9 $PPID
"""
SETPRIV = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
[ "${CUT:-}" != "kiosk $2" ] || kill -9 $PPID
exec "$@"
"""
STEPS = """#!/bin/bash
set -e
here=$(cd "$(dirname "$0")/.." && pwd)
[ "${CUT:-}" != "before $1" ] || kill -9 $PPID
case $1 in
  name) cat "$here/NAME" ;;
  build) mkdir -p "$2/bin"; [ ! -e "$here/unbuildable" ] || { echo "No space left on device" >&2; exit 1; }
    cp "$here/program" "$2/bin/kiosk"; chmod 755 "$2/bin/kiosk" ;;
  paths) printf '%s\\n' /usr/local/lib/systemd/system/kiosk.service /usr/local/lib/systemd/system/kiosk-new.timer ;;
  place) cp "$here/unit" "$ROOT/usr/local/lib/systemd/system/kiosk.service"
    [ "${CUT:-}" != "in place" ] || kill -9 $PPID
    cp "$here/unit" "$ROOT/usr/local/lib/systemd/system/kiosk-new.timer" ;;
  place-helper) cp "$here/NAME" "$ROOT/helper-of" ;;
esac
[ "${CUT:-}" != "after $1" ] || kill -9 $PPID
"""
PROGRAM = """#!/bin/sh
echo "$1" >>"$FAKES/programs"
umask >>"$FAKES/umasks"
[ "$1" != "{refuses}" ] || {{ echo "kiosk: {says}" >&2; exit 1; }}
"""


def keygen(*words: str | Path) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, words)], check=True, capture_output=True, timeout=30)


@dataclass
class Machine:
    """A root folder with one installed release, and the publisher's key."""

    root: Path
    fakes: Path

    # --- what is there ----------------------------------------------------------------------------------------

    @property
    def current(self) -> str:
        return str((self.root / "opt/kiosk/current").readlink())

    @property
    def unit(self) -> str:
        return (self.root / UNIT).read_text()

    @property
    def trial(self) -> dict[str, object] | None:
        path = self.root / "var/lib/kiosk-release/trial.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def state(self) -> dict[str, object]:
        return json.loads((self.root / "var/lib/kiosk-release/state.json").read_text())

    def releases(self) -> set[str]:
        return {path.name for path in (self.root / "opt/kiosk/releases").iterdir()}

    def asked(self) -> list[str]:
        """What systemctl was asked to do, looks apart, since the last question."""
        path = self.fakes / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith("show")]

    # --- what happens -----------------------------------------------------------------------------------------

    def run(
        self, program: str, *words: str | Path, cut: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """A helper as root's systemd or a technician starts it."""
        return self.python(str(HELPERS / f"{program}.py"), *map(str, words), CUT=cut, **variables)

    def python(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.fakes}:{os.environ['PATH']}"
        env = os.environ | {"ROOT": str(self.root), "FAKES": str(self.fakes), "PATH": path} | variables
        command = [sys.executable, "-IB", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)

    def update(self, *words: str | Path, cut: str = "") -> subprocess.CompletedProcess[str]:
        return self.run("kiosk_release", "update", *words, cut=cut)

    def start(self, *, boot: str = "", restarts: int | None = None, cut: str = "") -> None:
        """kiosk.service is started, as its unit does it: the helper runs only while something is tried."""
        if boot:
            (self.root / "proc/sys/kernel/random/boot_id").write_text(f"{boot}\n")
        if restarts is not None:
            self.units("kiosk.service", NRestarts=str(restarts))
        if self.trial is not None:
            self.run("kiosk_trial", "started", cut=cut)

    def ten_minutes_pass(self, *, up_long: bool = True, cut: str = "") -> None:
        """The timer fires; `up_long`: the kiosk has run all the time."""
        wanted = 0 if up_long else 1e9
        code = (
            f"import sys; sys.path.insert(0, {str(HELPERS)!r}); import kiosk_trial as t; "
            f"t.HEALTHY_S = {wanted}; t.PAUSE_S = 0; t.healthy()"
        )
        self.python("-c", code, CUT=cut)

    def units(self, unit: str, **values: str) -> None:
        folder = self.fakes / "units" / unit
        folder.mkdir(parents=True, exist_ok=True)
        for key, value in values.items():
            (folder / key).write_text(f"{value}\n")

    # --- releases ---------------------------------------------------------------------------------------------

    def release(
        self,
        version: str,
        /,
        *,
        refuses: str = "",
        says: str = "",
        members: tuple[tarfile.TarInfo, ...] = (),
        unbuildable: bool = False,
        **manifest: object,
    ) -> Path:
        """A signed release file outside the machine."""
        name = f"{version}+{sum(version.encode()):08x}"
        about = {"format": 1, "version": version, "suites": ["bookworm"], "architectures": ["arm64"], "packages": []}
        about |= {"python": f"3.{sys.version_info.minor}"} | manifest
        files = {
            "./release.json": json.dumps(about),
            "./NAME": name,
            "./unit": f"of {name}\n",
            "./program": PROGRAM.format(refuses=refuses, says=says),
            "./scripts/release-steps.sh": STEPS,
        }
        files |= {"./unbuildable": ""} if unbuildable else {}
        path = self.root.parent / f"kiosk-{version}-bookworm-arm64.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for member_name, text in files.items():
                content = text.encode()
                member = tarfile.TarInfo(member_name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            for member in members:
                tar.addfile(member, io.BytesIO(b"x" * member.size))
        self.sign(path)
        return path

    def sign(self, path: Path, key: str = "publisher", namespace: str = "kiosk-release") -> None:
        signature = path.with_name(f"{path.name}.sig")
        signature.unlink(missing_ok=True)
        keygen("-Y", "sign", "-n", namespace, "-f", self.root.parent / key, path)

    def key(self, name: str) -> str:
        """A new key pair; its public line."""
        path = self.root.parent / name
        keygen("-t", "ed25519", "-N", "", "-C", name, "-f", path)
        return path.with_suffix(".pub").read_text()


def name_of(version: str) -> str:
    return f"{version}+{sum(version.encode()):08x}"


def machine(folder: Path) -> Machine:
    """0.4.0 runs, with all three services; the publisher's key is trusted."""
    root, fakes = folder / "root", folder / "fakes"
    for inner in (
        "etc/kiosk",
        "opt/kiosk/releases",
        "var/lib/kiosk/updates",
        "proc/sys/kernel/random",
        str(Path(UNIT).parent),
    ):
        (root / inner).mkdir(parents=True)
    fakes.mkdir()
    made = Machine(root, fakes)
    for name, text in {"systemctl": SYSTEMCTL, "setpriv": SETPRIV, "dpkg": "#!/bin/sh\necho arm64\n"}.items():
        (fakes / name).write_text(text)
        (fakes / name).chmod(0o755)
    (fakes / "dpkg-query").write_text("#!/bin/sh\ncase $4 in python3) printf installed ;; *) exit 1 ;; esac\n")
    (fakes / "dpkg-query").chmod(0o755)
    active = {"ActiveState": "active", "NRestarts": "0", "ActiveEnterTimestampMonotonic": "1"}
    for service in ("kiosk.service", "kiosk-sync.service", "kiosk-console.service"):
        made.units(service, **active)
    (root / "etc/os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    (root / "etc/kiosk/release-signers").write_text(f"publisher@example {made.key('publisher')}")
    (root / "proc/sys/kernel/random/boot_id").write_text("boot-1\n")
    (root / UNIT).write_text("of the first\n")
    old = root / "opt/kiosk/releases" / name_of("0.4.0")
    (old / "bin").mkdir(parents=True)
    (old / "bin/kiosk").write_text(PROGRAM.format(refuses="", says=""))
    (old / "bin/kiosk").chmod(0o755)
    (old / ".complete").touch()
    (root / "opt/kiosk/current").symlink_to(f"releases/{old.name}")
    return made
