#!/usr/bin/python3 -IB
"""kiosk_archive: whether a file is a release that somebody trusted has signed, and for this machine; and unpacking it.

It stands alone, with Python's standard library: an installed release may be broken. It knows signatures, archives and
what this machine is; it refuses to know which release runs and how one is exchanged (kiosk_release does). Two verbs:

  verify FILE        say who signed it; of a release (.tar.gz) also whether this machine takes it. Needs no root.
  take FILE FOLDER   copy FILE and FILE.sig into FOLDER, verify that copy, unpack it as FOLDER/tree, print release.json

ROOT=/some/folder looks for /etc below that folder (tests).
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

ROOT = Path(os.environ.get("ROOT") or "/")
OPT = ROOT / "opt"
SIGNERS = ROOT / "etc/kiosk/release-signers"
NAMESPACE = "kiosk-release"

MOST_BYTES = 1 << 30
MOST_MEMBERS = 20_000
MOST_MANIFEST = 64 * 1024
ROOM = 5
"""Free space that is asked for, in sizes of the release file: its copy, its tree, and the unpacked program."""
RESERVE = 128 << 20
VERSION = re.compile(r"\d+(?:\.\d+){1,3}")


class Refused(Exception):
    """Why a file is not taken, in Vietnamese and English, with what to do."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi, self.en = vi, en


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output is kept for whoever asks."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)


# --- the release file -----------------------------------------------------------------------------------------


def signer_of(file: Path, signature: Path) -> str:
    """Who signed exactly these bytes, of those that /etc/kiosk/release-signers trusts."""
    if not SIGNERS.is_file() or not SIGNERS.read_text(errors="replace").strip():
        raise Refused(
            f"Chưa có khóa nào được tin: ghi dòng khóa của nơi phát hành vào {SIGNERS} (docs/update.md).",
            f"No key is trusted yet: write the line of the publisher's key into {SIGNERS} (docs/update.md).",
        )
    for each in (file, signature):
        if not each.is_file():
            raise Refused(f"Thiếu tệp {each.name}: chép cả hai tệp.", f"{each.name} is missing: copy both files.")
    try:
        found = run("ssh-keygen", "-Y", "find-principals", "-s", signature, "-f", SIGNERS)
        who = (found.stdout.splitlines() or [""])[0]
        if found.returncode or not who:
            raise Refused(
                f"{file.name}: chữ ký không phải của nơi phát hành được tin trong {SIGNERS}; không cài.",
                f"{file.name} is not signed by a key that {SIGNERS} trusts: it is not installed.",
            )
        with file.open("rb") as signed:
            words = ("ssh-keygen", "-Y", "verify", "-f", SIGNERS, "-I", who, "-n", NAMESPACE, "-s", signature)
            checked = run(*words, stdin=signed)
    except FileNotFoundError:
        raise Refused(
            "Thiếu ssh-keygen: sudo apt-get install openssh-client", "ssh-keygen is missing: install openssh-client."
        ) from None
    if checked.returncode:
        raise Refused(
            f"{file.name} bị hỏng hoặc bị sửa sau khi ký: hãy chép hoặc tải lại.",
            f"{file.name} is damaged, or was changed after it was signed: copy or fetch it again.",
        )
    return who


def no_release(file: Path, why: str) -> Refused:
    return Refused(
        f"{file.name} không phải bản phát hành của ki-ốt ({why}).", f"{file.name} is no release of the kiosk ({why})."
    )


def checked_members(file: Path, tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, each a file or folder inside; anything else is an attempt to get out, and ends it."""
    files: set[PurePosixPath] = set()
    total = 0
    for count, member in enumerate(tar, 1):
        path, total = PurePosixPath(member.name), total + max(member.size, 0)
        if count > MOST_MEMBERS or total > MOST_BYTES:
            raise no_release(file, "too large")
        if path.is_absolute() or ".." in path.parts or not member.name.isprintable() or "\\" in member.name:
            raise no_release(file, f"a name that leads outside: {member.name!r}")
        if not (member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.isdir()) or member.issparse():
            raise no_release(file, f"neither file nor folder: {member.name!r}")
        if files & {path, *path.parents}:
            raise no_release(file, f"twice: {member.name!r}")
        if member.isfile():
            files.add(path)
        yield member


def read_manifest(file: Path) -> dict[str, Any]:
    """release.json of a release whose members are all sound. Raises Refused."""
    found: dict[str, Any] = {}
    try:
        with tarfile.open(file, "r:gz") as tar:
            for member in checked_members(file, tar):
                if PurePosixPath(member.name) == PurePosixPath("release.json") and member.size <= MOST_MANIFEST:
                    content = tar.extractfile(member)
                    found = json.loads(content.read()) if content else {}
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise no_release(file, str(error)) from error
    lists = ("suites", "architectures", "packages")
    if not (
        isinstance(found, dict)
        and found.get("format") == 1
        and VERSION.fullmatch(str(found.get("version")))
        and isinstance(found.get("python"), str)
        and all(isinstance(found.get(key), list) for key in lists)
    ):
        raise no_release(file, "release.json")
    return found


def unpack(file: Path, tree: Path) -> None:
    """Into a fresh folder; no link is followed, because none is made, and nothing is written over."""
    tree.mkdir(mode=0o700)
    with tarfile.open(file, "r:gz") as tar:
        for member in checked_members(file, tar):
            path = tree / member.name
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o755 if member.mode & 0o100 else 0o644
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, mode), "wb") as out:
                shutil.copyfileobj(tar.extractfile(member), out)  # type: ignore[arg-type]  # it is a file


def free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_room(size: int, folder: Path) -> None:
    needed = ROOM * size + RESERVE
    for each in (folder, OPT):
        if free(each) < needed:
            raise Refused(
                f"Thẻ nhớ còn quá ít chỗ: cần {needed >> 20} MB trống ở {each}.",
                f"Too little disk space: {needed >> 20} MB must be free at {each}.",
            )


def copy_in(path: Path, folder: Path) -> Path:
    """The file and its signature in a folder of root: what is verified is what is unpacked, whoever owns the other."""
    with opened(path) as file, opened(signature_of(path)) as signature:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES or os.fstat(signature.fileno()).st_size > MOST_MANIFEST:
            raise no_release(path, "too large")
        check_room(size, folder)
        for source, name in ((file, path.name), (signature, f"{path.name}.sig")):
            with (folder / name).open("xb") as out:
                shutil.copyfileobj(source, out)
    return folder / path.name


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A plain file, and never what a link at its place points to."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Refused(f"{path}: không mở được ({error.strerror}).", f"{path}: {error.strerror}.") from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise no_release(path, "it is no file")
        yield file


# --- does it fit this machine ---------------------------------------------------------------------------------


def system() -> tuple[str, str, str]:
    """Suite, architecture and Python's minor version of this machine, as a release names them."""
    lines = (ROOT / "etc/os-release").read_text(errors="replace").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    suite = values.get("VERSION_CODENAME", "").strip('"')
    return suite, run("dpkg", "--print-architecture").stdout.strip(), f"3.{sys.version_info.minor}"


def is_installed(package: str) -> bool:
    return run("dpkg-query", "-W", "-f", "${db:Status-Status}", package).stdout == "installed"


def check_machine(manifest: dict[str, Any]) -> None:
    suite, architecture, python = system()
    for ours, theirs in (
        (suite, manifest["suites"]),
        (architecture, manifest["architectures"]),
        (f"Python {python}", [f"Python {manifest['python']}"]),
    ):
        if ours not in theirs:
            for_whom = ", ".join(map(str, theirs))
            raise Refused(
                f"Bản này dành cho {for_whom}, máy này là {ours}: lấy đúng bản.",
                f"This release is for {for_whom}, and this machine is {ours}: fetch the one for it.",
            )
    asked = [str(package) for package in manifest["packages"]]
    missing = [each for each in asked if not is_installed(each)]
    if missing:
        words = " ".join(missing)
        raise Refused(
            f"Bản này cần thêm gói: sudo apt-get install {words}", f"This release needs: sudo apt-get install {words}"
        )


# --- verbs ----------------------------------------------------------------------------------------------------


def verify(file: Path) -> str:
    """One line about a file that can be trusted. Raises Refused."""
    who = signer_of(file, signature_of(file))
    if not file.name.endswith(".tar.gz"):
        return f"{file.name}: {who}"
    manifest = read_manifest(file)
    check_machine(manifest)
    return f"kiosk {manifest['version']} ({manifest.get('created', '?')}): {who}"


def take(path: Path, folder: Path) -> str:
    """The release unpacked as `tree` in the folder, and its release.json with who signed it. Raises Refused."""
    file = copy_in(path, folder)
    who = signer_of(file, signature_of(file))
    manifest = read_manifest(file)
    check_machine(manifest)
    unpack(file, folder / "tree")
    file.unlink()
    return json.dumps(manifest | {"signer": who})


def signature_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.sig")


def main(words: list[str]) -> int:
    os.umask(0o022)
    try:
        match words:
            case ["verify", file]:
                print(verify(Path(file)))
            case ["take", file, folder]:
                print(take(Path(file), Path(folder)))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Refused as refused:
        print(f"{refused.vi}\n{refused.en}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
