"""The disk of the machine: Debian trixie for arm64, and the kiosk put on it by the real install.sh from a stick.

Three layers, each kept under the cache by what it is made of, built aside and renamed: `system` (Debian and a kernel),
`stick` (what installer/bundle.sh fetches, and lgpio as a Debian package, which Raspberry Pi OS has and plain Debian has
not), `disk` (both together). Programs of the other architecture run through qemu-user. Needs root.
"""

import hashlib
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from inspect import getsource
from pathlib import Path

from tests import foreign
from tests.foreign import NATIVE, PATIENT, SLOW, UNPACKERS, allow_foreign, collect_native

TREE = Path(__file__).parents[2]
GUEST = Path(__file__).parent / "guest"
CACHE = Path(os.environ.get("KIOSK_CACHE", "/var/cache/kiosk-test")) / "appliance"
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
SUITE = "trixie"
ARCHITECTURE = "arm64"
DISK_MB = 4096
LGPIO = "lgpio==0.2.2.0"

PACKAGES = (
    "systemd,systemd-sysv,systemd-timesyncd,udev,dbus,kmod,iproute2,e2fsprogs,busybox-static,python3,tzdata,procps"
)
"""A fresh Raspberry Pi OS Lite has all of these and much more."""
BOOT_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")

KIOSK_TOML = """\
device = "xa-thu-vm"
office = "/etc/kiosk/office.toml"
[buttons]
buses = []
stale_s = 30
[buttons.services.ho-tich]
pin = 4
[buttons.services.chung-thuc]
pin = 5
[buttons.services.dat-dai]
pin = 6
[buttons.priority]
pin = 7
[buttons.counters.1]
call = 2
[printer]
job_expires_min = 60
[public]
url = "http://xa-mau.example"
[screen]
animations = false
outputs = [{ view = "take", size = "1280x720" }]
"""
"""The pins that the machine's GPIO controller has; pin 3 is its power key. It draws very slowly."""

NETWORK = "[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n"
UNITS = {
    "appliance-agent.service": "/usr/bin/python3 -I /usr/local/lib/appliance/agent.py",
    "appliance-paper.service": "/usr/bin/python3 -I /usr/local/lib/appliance/paper.py",
}
UNIT = """\
[Unit]
DefaultDependencies=no
After=systemd-udev-trigger.service
[Service]
ExecStart={command}
Restart=always
RestartSec=0.3
OOMScoreAdjust=-900
[Install]
WantedBy=sysinit.target
"""
PLUG = """\
[Unit]
DefaultDependencies=no
After=systemd-modules-load.service
[Service]
Type=oneshot
ExecStart=/usr/local/lib/appliance/plug in
[Install]
WantedBy=sysinit.target
"""


class CannotBuild(RuntimeError):
    """The image cannot be built here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Image:
    """Files to start a machine from; none of them is written to."""

    disk: Path
    kernel: Path
    initrd: Path


def image() -> Image:
    """The newest one, built when it is not there: some ten minutes the first time."""
    if os.geteuid() != 0:
        raise CannotBuild("The appliance's machine is built by root: sudo make test-appliance")
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = _disk()
    return Image(folder / "disk.raw", folder / "vmlinuz", folder / "initrd")


# ---- the cache ----


def kept(name: str, digest: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name and digest. A newer one takes the place of those before it."""
    folder = CACHE / f"{name}-{digest}"
    if folder.is_dir():
        return folder
    part = CACHE / f"{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    print(f"appliance: building {folder.name}", flush=True)
    make(part)
    for old in CACHE.glob(f"{name}-*"):
        shutil.rmtree(old)
    part.rename(folder)
    return folder


def digest(files: Iterable[Path], *words: str) -> str:
    """Of the contents and the names below the tree."""
    found = hashlib.sha256("\0".join(words).encode())
    for file in sorted(files):
        found.update(f"{file.relative_to(TREE)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:12]


def _sources() -> list[Path]:
    """All that install.sh puts on a kiosk, and what it needs for that."""
    folders = (TREE / name for name in ("kiosk", "sync", "server", "installer", "systemd", "requirements", "docs"))
    found = [file for folder in folders for file in folder.rglob("*") if "__pycache__" not in file.parts]
    single = [TREE / name for name in ("install.sh", "pyproject.toml", "README.md", "LICENSE")]
    return [file for file in (*found, *single) if file.is_file()]


# ---- layers ----


def _system() -> Path:
    return kept("system", digest([], SUITE, PACKAGES, getsource(_make_system)), _make_system)


def _make_system(folder: Path) -> None:
    """tree.tar; and beside it two packages that are not installed: a kernel, and the headers for lgpio."""
    allow_foreign(ARCHITECTURE)
    kernel = f"$(apt-cache depends linux-image-{ARCHITECTURE} | sed -n 's/.*Depends: \\(linux-image.*\\)/\\1/p')"
    (folder / "fetch").write_text(f"mkdir /extra && cd /extra && apt-get download {kernel} libpython3.13-dev\n")
    hooks = (f'chroot "$1" sh -e <{folder}/fetch', f'mv "$1"/extra/*.deb {folder} && rmdir "$1/extra"')
    options = ["-q", "--variant=minbase", f"--arch={ARCHITECTURE}", f"--include={PACKAGES}"]
    options += [f"--customize-hook={hook}" for hook in hooks]
    _run("mmdebstrap", *options, SUITE, folder / "tree.tar", MIRROR, minutes=40)


def _stick(system: Path) -> Path:
    recipe = [TREE / "installer" / name for name in ("bundle.sh", "packages.sh", "program.sh")]
    locks = [TREE / "requirements" / name for name in ("run.txt", "lgpio.txt")]
    words = (system.name, LGPIO, getsource(_make_stick), getsource(_build_lgpio))
    return kept("stick", digest([*recipe, *locks], *words), lambda folder: _make_stick(folder, system))


def _make_stick(folder: Path, system: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        status = Path(scratch) / "status"
        status.write_bytes(_run("tar", "-xOf", system / "tree.tar", "./var/lib/dpkg/status"))
        options = ["--suite", SUITE, "--arch", ARCHITECTURE, "--status", str(status), "--mirror", MIRROR]
        _run(TREE / "installer/bundle.sh", folder, *options, minutes=15)
        _build_lgpio(Path(scratch), system, folder / "debs")
    (folder / "SHA256SUMS").unlink()  # one more package than bundle.sh knows of


def _build_lgpio(scratch: Path, system: Path, debs: Path) -> None:
    """python3-lgpio as the archive of Raspberry Pi OS has it, from the source on PyPI."""
    _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", scratch, LGPIO)
    (packed,) = scratch.glob("lgpio-*.tar.gz")
    _run("tar", "-C", scratch, "-xzf", packed)
    (source,) = (path for path in scratch.glob("lgpio-*") if path.is_dir())
    (headers,) = system.glob("libpython3.13-dev_*.deb")
    _run("dpkg-deb", "-x", headers, scratch / "headers")
    include = scratch / "headers/usr/include"
    root = scratch / "deb"
    modules = root / "usr/lib/python3/dist-packages"
    modules.mkdir(parents=True)
    _run("swig", "-python", "-o", source / "lgpio_wrap.c", "-outdir", source, source / "lgpio.i", where=source)
    folders = [word for path in (source / "src", include / "python3.13", include) for word in ("-I", path)]
    files = [source / "lgpio_wrap.c", *source.glob("src/lg*.c"), source / "src/rgpiod.c"]
    module = modules / "_lgpio.cpython-313-aarch64-linux-gnu.so"
    flags = ("-shared", "-fPIC", "-O2", "-pthread", "-w")
    _run("aarch64-linux-gnu-gcc", *flags, *folders, *files, "-o", module, "-lrt", "-ldl")
    shutil.copy(source / "lgpio.py", modules)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        f"Package: python3-lgpio\nVersion: 0.2.2-1\nArchitecture: {ARCHITECTURE}\n"
        "Depends: python3 (>= 3.13), python3 (<< 3.14)\n"
        "Maintainer: kiosk tests <tests@localhost>\nDescription: lgpio for the tests of the appliance\n"
    )
    _run("dpkg-deb", "--root-owner-group", "-b", root, debs / f"python3-lgpio_0.2.2-1_{ARCHITECTURE}.deb")


def _disk() -> Path:
    system = _system()
    stick = _stick(system)
    recipe = [Path(__file__), Path(foreign.__file__), *(file for file in GUEST.iterdir() if file.is_file())]
    return kept("disk", digest([*recipe, *_sources()], stick.name), lambda folder: _make_disk(folder, system, stick))


def _make_disk(folder: Path, system: Path, stick: Path) -> None:
    root = folder / "root"
    root.mkdir()
    allow_foreign(ARCHITECTURE)
    _run("tar", "-C", root, "-xf", system / "tree.tar")
    (kernel,) = system.glob("linux-image-*.deb")
    _run("dpkg-deb", "-x", kernel, folder / "kernel")
    _furnish(root, folder / "kernel")
    _install(root, stick)
    (root / "etc/kiosk/kiosk.toml").write_text(KIOSK_TOML)
    office = root / "etc/kiosk/office.toml"
    office.write_text(office.read_text().replace('numbering = "day"', 'numbering = "day"\npress_limits = false'))
    for unit, slow in (("kiosk", SLOW), ("kiosk-console", SLOW), ("kiosk-sync", PATIENT)):
        folder_of = root / f"etc/systemd/system/{unit}.service.d"
        folder_of.mkdir()
        (folder_of / "slow.conf").write_text(slow)
    _make_initrd(root, folder)
    _run("mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", root, folder / "disk.raw", f"{DISK_MB}M", minutes=10)
    _lend_reserve(root, folder / "disk.raw")
    shutil.rmtree(root)
    shutil.rmtree(folder / "kernel")


def _furnish(root: Path, kernel: Path) -> None:
    """What a Raspberry Pi OS has (modules, network, firmware files), and the agents of the test."""
    shutil.copytree(kernel / "usr/lib/modules", root / "usr/lib/modules", symlinks=True)
    (version,) = (path.name for path in (root / "usr/lib/modules").iterdir())
    _run("chroot", root, "depmod", version)
    for name, text in (
        ("etc/systemd/network/20-wired.network", NETWORK),
        ("etc/hostname", "xa-thu-vm\n"),
        ("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 xa-thu-vm\n"),
        ("etc/fstab", ""),
        ("etc/machine-id", ""),
        ("boot/firmware/config.txt", ""),
        ("boot/firmware/cmdline.txt", "console=serial0,115200 root=/dev/vda rw\n"),
        ("etc/systemd/system/appliance-plug.service", PLUG),
        *((f"etc/systemd/system/{name}", UNIT.format(command=command)) for name, command in UNITS.items()),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    shutil.copytree(GUEST, root / "usr/local/lib/appliance", ignore=shutil.ignore_patterns("__pycache__"))
    _run("systemctl", f"--root={root}", "enable", "systemd-networkd.service", "appliance-plug.service", *UNITS)


def _install(root: Path, stick: Path) -> None:
    """The real install.sh, with nothing but the stick."""
    program = root / "usr/src/kiosk"
    for file in _sources():
        target = program / file.relative_to(TREE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    box = ("-q", "-D", root, "--register=no", "--keep-unit", "--private-network", "--pipe")
    command = ("/usr/src/kiosk/install.sh", "--yes", "--no-start", "--offline", "/mnt/stick")
    with tempfile.TemporaryDirectory(dir=CACHE) as native:
        collect_native(Path(native), *UNPACKERS)
        more = (f"--bind-ro={stick}:/mnt/stick", f"--bind-ro={native}:{NATIVE}", f"--setenv=APT_CONFIG={NATIVE}/apt")
        said = _run("systemd-nspawn", *box, *more, *command, minutes=60)
    (root / "var/log/install.log").write_bytes(said)
    shutil.rmtree(program)


def _lend_reserve(root: Path, disk: Path) -> None:
    """As install.sh does (lend_reserve), which finds no disk of its own while this one is a folder."""
    groups = [line.split(":") for line in (root / "etc/group").read_text().splitlines()]
    (number,) = (number for name, _, number, _ in groups if name == "kiosk")
    _run("tune2fs", "-g", number, disk)


def _make_initrd(root: Path, folder: Path) -> None:
    """Finds the disk and starts its systemd: a tenth of what Debian's own would load."""
    modules = next((root / "usr/lib/modules").iterdir())
    stage = folder / "stage"
    for name in ("bin", "dev", "proc", "sys", "disk"):
        (stage / name).mkdir(parents=True)
    shutil.copy(root / "usr/bin/busybox", stage / "bin/busybox")
    (stage / "bin/sh").symlink_to("busybox")
    lines = ["#!/bin/sh", "busybox mount -t devtmpfs dev /dev"]
    for at, file in enumerate(_with_needed(modules, BOOT_MODULES)):
        (stage / f"{at:02}.ko").write_bytes(lzma.decompress((modules / file).read_bytes()))
        lines.append(f"busybox insmod /{at:02}.ko")
    lines += [
        "until busybox mount -t ext4 /dev/vda /disk 2>/dev/null; do busybox usleep 50000; done",
        "busybox mount --move /dev /disk/dev",
        "exec busybox switch_root /disk /sbin/init",
    ]
    (stage / "init").write_text("\n".join(lines) + "\n")
    (stage / "init").chmod(0o755)
    (folder / "initrd").write_bytes(_run("sh", "-c", "find . | cpio -o -H newc --quiet | gzip -1", where=stage))
    (kernel,) = (folder / "kernel/boot").glob("vmlinuz-*")
    shutil.copy(kernel, folder / "vmlinuz")
    shutil.rmtree(stage)


def _with_needed(modules: Path, names: Iterable[str]) -> list[str]:
    """Files of these modules below those that they need, each once, in the order in which they can be loaded."""
    needs: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, rest = line.partition(":")
        needs[file] = rest.split()[::-1]
    files = {Path(file).name.partition(".")[0]: file for file in needs}
    order: dict[str, None] = {}
    for name in names:
        if name in files:  # else it is part of the kernel
            order |= dict.fromkeys([*needs[files[name]], files[name]])
    return list(order)


# ---- programs ----


def _run(*command: str | Path, minutes: float = 5, where: Path | None = None) -> bytes:
    """What it said on standard output; raises CannotBuild with all that it said when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, timeout=minutes * 60, cwd=where, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise CannotBuild(f"{' '.join(words)} ended with {done.returncode}:\n{said[-6000:]}")
    return done.stdout


if __name__ == "__main__":
    print(image())
