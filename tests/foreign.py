"""Programs of another architecture on this machine: through qemu-user, and some of their work by this machine's own.

What qemu-user cannot show, because it answers the system calls of the programs itself:

- filters of system calls: it has no seccomp, so systemd sets none of its own;
- a unit's own users, network and IPC (PrivateUsers=, PrivateNetwork=, PrivateIPC=) and credentials: it has threads,
  which a process that enters a user namespace may not have, and refuses to clone into other namespaces. EMULATED goes
  without;
- rules of the firewall: it knows no netlink of the packet filter, so `nft` is this machine's;
- memory and times: they are the emulator's, ten to twenty times those of a board;
- anything of ptrace, and whatever else lies below the system calls: the kernel is this machine's.
"""

import shutil
import subprocess
from pathlib import Path

BINFMT = Path("/proc/sys/fs/binfmt_misc")
HANDLERS = {"arm64": "qemu-aarch64"}
"""What qemu-user calls the architectures that can be foreign here, by Debian's names for them."""
PACE = 15
"""So many times as long anything may take that a foreign program does."""
PATIENT = "[Service]\nTimeoutStartSec=15min\nTimeoutStopSec=2min\n"
"""What a unit that says when it is ready needs in place of a board's seconds."""
SLOW = f"{PATIENT}WatchdogSec=90\n"
"""The same of one with a watchdog of seconds."""
EMULATED = """\
[Service]
PrivateUsers=no
PrivateNetwork=no
PrivateIPC=no
ImportCredential=
LoadCredential=
SetCredential=
"""
"""For every service, where systemd itself is emulated."""
NATIVE = "/opt/native"
"""Where programs of this machine lie in a foreign system."""
SHIM = f"{NATIVE}/shim.so"
"""To be loaded into a first process that is emulated."""
UNPACKERS = ("dpkg-deb", "tar", "sha256sum")
"""They take most of the time of an installation, and are ten times as fast natively."""


def architecture() -> str:
    """This machine's, as Debian names it."""
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def pace(of: str) -> int:
    """How much patience programs of that architecture need on this machine: 1 for its own."""
    return 1 if of == architecture() else PACE


def allow_foreign(foreign: str) -> None:
    """Let programs of that architecture run here, for as long as this machine is up.

    Raises KeyError for one that is not in HANDLERS, OSError and CalledProcessError where the kernel does not take it.
    """
    handler = HANDLERS[foreign]
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "none", BINFMT], check=True, timeout=60)
    if not (BINFMT / handler).exists():
        (BINFMT / "register").write_bytes(Path(f"/usr/lib/binfmt.d/{handler}.conf").read_bytes())


def collect_native(folder: Path, *names: str) -> None:
    """Programs of this machine that work in a foreign system which has the folder at NATIVE, with all they need.

    Beside them `apt`, a configuration with which apt and dpkg find them first.
    """
    for name in names:
        program = Path(str(shutil.which(name))).resolve()
        for word in subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.split():
            if word.startswith("/") and not (folder / Path(word).name).exists():
                shutil.copy(word, folder)
        shutil.copy(program, folder / f"{name}.native")
        loader = next(path.name for path in folder.glob("ld-*"))
        (folder / name).write_text(
            f'#!/bin/sh\nexec {NATIVE}/{loader} --library-path {NATIVE} {NATIVE}/{name}.native "$@"\n'
        )
        (folder / name).chmod(0o755)
    (folder / "apt").write_text(f'DPkg::Path "{NATIVE}:/usr/sbin:/usr/bin:/sbin:/bin";\n')


def build_shim(folder: Path) -> None:
    """SHIM for arm64, in the folder that is to be at NATIVE. Raises CalledProcessError."""
    source = Path(__file__).parent / "shim.c"
    words = ["aarch64-linux-gnu-gcc", "-shared", "-fPIC", "-O2", source, "-o", folder / Path(SHIM).name]
    subprocess.run(words, check=True, timeout=60)
