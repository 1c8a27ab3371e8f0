"""`kiosk collect`: one file for whoever helps from afar, with how this device is and without anybody's data or secrets.

It needs no root and no kiosk that works: what cannot be read is named in the file `missing.txt` of the bundle. What
goes in is chosen by `redaction` and by lists here; files are never copied.
"""

import argparse
import io
import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from kiosk import __version__, kernel_log, redaction, vitals
from kiosk.config import DATA_DIR, Config, chosen_file, effective, load_config
from kiosk.documents import DocumentError, parse_file
from kiosk.setup import load_office
from kiosk.store.files import read_only
from kiosk.store.highwater import HighWater
from kiosk.telling import filled, reader, reason
from kiosk.texts import Texts

ENGLISH = Texts("en")
"""Of what is in the bundle; at the terminal the reader's language."""
WAIT_S = 15.0
CHECK_S = 120.0
LINES = 1000
LIBRARIES = (
    *("pygame", "pygame-ce", "gpiozero", "lgpio", "python-escpos", "pillow", "qrcode", "sqlite-utils", "requests"),
    *("starlette", "uvicorn", "jinja2", "sse-starlette", "cryptography", "evdev"),
)
PROGRAMS = {
    "df.txt": ("df", "-h"),
    "inodes.txt": ("df", "-i"),
    "free.txt": ("free", "-m"),
    "lsusb.txt": ("lsusb",),
    "lsblk.txt": ("lsblk", "--output", "NAME,SIZE,TYPE,FSTYPE,RO,MOUNTPOINT,MODEL"),
    "ip.txt": ("ip", "addr"),
    "units.txt": (
        *("systemctl", "show", "kiosk*", "--no-pager"),
        "--property=Id,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainCode,ExecMainStatus,"
        "ExecMainStartTimestamp,ActiveEnterTimestamp,StateChangeTimestamp,MemoryCurrent,CPUUsageNSec,UnitFileState",
    ),
}
"""File in the bundle → the program whose answer it is; none of them shows what is inside files."""
JOURNAL = (
    *("journalctl", "--unit=kiosk*", "--no-pager", "--quiet", "--output=json", f"--lines={LINES}"),
    "--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT",
)
LOGS = ("kiosk.log", "console.log", "uplink.log")
OWN_FILES = re.compile(
    r"kiosk\.db(?:-wal|-shm|-journal|\.restored|\.damaged-[0-9TZ-]{8,30}(?:-wal|-shm)?)?|highwater\.json(?:\.new)?|"
    r"ballast|canary|device-id(?:\.lock)?|token(?:\.new)?|lock|run\.lock|damaged|chosen\.toml|enrolled\.toml|\w+\.log|"
    r"backup|backup/lock|backup/kiosk-\d{6}-\d{8}T\d{6}\.db(?:\.part)?|tls|photos|voices|tls/[a-z-]+\.(?:pem|key|crt|json)"
)
"""Names that the kiosk itself gives; of another file in the folder only the ending and the size are told."""
SUMMED = ("photos", "voices")
"""Folders of which only the number of files and their size are told."""

Failure = (OSError, ValueError, LookupError, RuntimeError, ImportError, sqlite3.Error, subprocess.SubprocessError)


@dataclass
class Subject:
    """The device that is told about, as far as it can be known; `config` is None when kiosk.toml cannot be used."""

    config_file: str | None
    config: Config | None
    folder: Path


@dataclass
class Bundle:
    """Files by name, and what could not be read and why."""

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    missing: dict[str, BaseException] = field(default_factory=dict)

    def packed(self) -> bytes:
        """As tar.gz, in one folder."""
        room, files = io.BytesIO(), dict(self.files)
        files["missing.txt"] = "".join(f"{name}: {why(error)}\n" for name, error in self.missing.items()).encode()
        with tarfile.open(fileobj=room, mode="w:gz") as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(f"{self.name}/{name}")
                entry.size, entry.mode, entry.mtime = len(content), 0o644, int(datetime.now(UTC).timestamp())
                tar.addfile(entry, io.BytesIO(content))
        return room.getvalue()


def run(options: argparse.Namespace) -> int:
    """`kiosk collect`."""
    bundle, t = collect(options.config), reader(options.config)
    content = bundle.packed()
    said = sys.stderr if options.out == "-" else sys.stdout
    try:
        where = put(content, bundle.name, options.out)
    except OSError as error:
        place = error.filename or options.out
        raise RuntimeError(t("bundle.not_written", noi=place, loi=reason(error, t))) from error
    print(f"{where or t('bundle.stdout')}: {max(1, len(content) // 1024)} KB", file=said)
    for name, cause in bundle.missing.items():
        print(f"  {t('bundle.without', tep=name, loi=why(cause, t))}", file=said)
    return 0


def put(content: bytes, name: str, out: str) -> str:
    """Write it to a file, into a folder, or to standard output for "-"; without `out` into the temporary folder.

    Returns the path, "" for standard output. Raises OSError, and leaves nothing half written; what is there is never
    overwritten.
    """
    if out == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return ""
    path = Path(out or tempfile.gettempdir())
    path = path / f"{name}.tar.gz" if path.is_dir() else path
    # Whoever called it through sudo is another user, and takes it along: there is nothing in it to hide.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise
    return str(path)


def collect(config_file: str | None) -> Bundle:
    """All that can be told of this device now."""
    subject = _subject(config_file)
    made = Bundle(f"kiosk-support-{_device(subject)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    for name, part in _parts().items():
        try:
            made.files[name] = part(subject).encode("utf-8", "replace")
        except Failure as error:
            made.missing[name] = error
    return made


def why(error: BaseException, t: Texts = ENGLISH) -> str:
    """Why something could not be read, without what was in it."""
    if isinstance(error, NotRead):
        return filled(f"bundle.{error.key}", error.values, t)
    if isinstance(error, OSError) and error.strerror:
        return reason(error, t)
    if isinstance(error, DocumentError):
        return t("bundle.mistakes")
    return f"{type(error).__name__} {getattr(error, 'sqlite_errorname', '')}".strip()


class NotRead(OSError):
    """A part of which there is nothing; `key` says why under [bundle] in the language files, `values` fill it."""

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def _subject(config_file: str | None) -> Subject:
    """Of a broken kiosk.toml the data folder is used, if it says one."""
    try:
        config = load_config(config_file)
        return Subject(config_file, config, Path(config.data_dir))
    except ValueError:
        pass
    try:
        file = chosen_file(config_file)
        named = parse_file(file).get("data_dir")
        folder = file.parent / named if isinstance(named, str) and named else Path(DATA_DIR)
    except ValueError:
        folder = Path(DATA_DIR)
    return Subject(config_file, None, folder)


def _device(subject: Subject) -> str:
    """The kiosk's id, only looked at: a name that is made now would be none."""
    named = subject.config.device if subject.config else "auto"
    if named == "auto":
        try:
            named = (subject.folder / "device-id").read_text(errors="replace").strip()
        except OSError:
            named = ""
    return named if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{2,31}", named) else "unknown"


def _parts() -> dict[str, Callable[[Subject], str]]:
    """What is in a bundle, by file name."""
    return {
        "versions.json": _versions,
        "check.json": _check,
        "kiosk.toml": _config,
        "kiosk-problems.json": _config_problems,
        "office.json": _office,
        "office-problems.json": _office_problems,
        "database.json": _database,
        "highwater.json": _highwater,
        "files.txt": _files,
        "journal.txt": _journal,
        "kernel.txt": _kernel,
        **{name: _said_by(command) for name, command in PROGRAMS.items()},
    }


# --- the program --------------------------------------------------------------------------------------------------


def _versions(subject: Subject) -> str:
    return _json(
        {
            "kiosk": __version__,
            "python": platform.python_version(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "board": vitals.board(),
            "system": vitals.system(),
            "collected": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        }
    )


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def _check(subject: Subject) -> str:
    """`kiosk check` as a process of its own: whatever breaks or hangs it, the rest is collected."""
    given = ["--config", subject.config_file] if subject.config_file else []
    command = [sys.executable, "-m", "kiosk", "check", "--json", "--lang", "en", *given]
    found = json.loads(_answer(command, CHECK_S, statuses=(0, 1)))
    return _json({**found, "findings": [_finding(one) for one in found["findings"]]})


def _finding(one: dict[str, Any]) -> dict[str, Any]:
    """What was found in the program's own words; mistakes in documents quote them and stay behind their code."""
    known = redaction.vocabulary()
    quotes = one["part"] in ("config", "office", "language") and not one["ok"]
    sentences = ("advice",) if quotes else ("says", "advice", "detail")
    texts = {name: redaction.line(str(one[name]), known) for name in sentences}
    return {**{name: one[name] for name in ("part", "ok", "note", "code")}, **texts}


def _config(subject: Subject) -> str:
    """What `kiosk config` prints: the known keys with where they come from, and no secret is among them."""
    if subject.config is None:
        raise NotRead("mistakes_in_config")
    return effective(subject.config)


def _config_problems(subject: Subject) -> str:
    """Of a kiosk.toml that cannot be used: which keys, what kind of mistake, and its shape."""
    try:
        load_config(subject.config_file)
    except DocumentError as error:
        try:
            shape = _names(redaction.outline(parse_file(chosen_file(subject.config_file))))
        except ValueError:
            shape = None
        return _json({"problems": _problems(error), "shape": shape})
    return _json({"problems": []})


def _office(subject: Subject) -> str:
    if subject.config is None:
        raise NotRead("mistakes_in_config")
    return _json(redaction.office(load_office(subject.config)))


def _office_problems(subject: Subject) -> str:
    try:
        if subject.config is not None:
            load_office(subject.config)
    except DocumentError as error:
        return _json({"problems": _problems(error)})
    return _json({"problems": []})


def _problems(error: DocumentError) -> list[dict[str, str]]:
    known = redaction.vocabulary()
    return [{"where": redaction.line(one.path, known), "code": one.key} for one in error.problems]


def _names(value: Any) -> Any:
    """Names of keys that the program does not know are left out too: somebody has written a value into their place."""
    known = redaction.vocabulary()
    if isinstance(value, dict):
        return {redaction.line(name, known): _names(item) for name, item in value.items()}
    return [_names(item) for item in value] if isinstance(value, list) else value


# --- the data -----------------------------------------------------------------------------------------------------


def _database(subject: Subject) -> str:
    """Sizes and the number of the schema; rows are only counted."""
    path = subject.folder / "kiosk.db"
    if not path.exists():
        raise NotRead("none")
    with closing(read_only(path)) as conn:
        names = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        known = [name for name in names if re.fullmatch(r"[a-z_]{1,40}", name)]
        return _json(
            {
                "bytes": path.stat().st_size,
                "pragmas": {name: _pragma(conn, name) for name in ("page_count", "freelist_count", "user_version")},
                "schema": conn.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0],
                "rows": {name: conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in known},
            }
        )


def _pragma(conn: sqlite3.Connection, name: str) -> int:
    return int(conn.execute(f"PRAGMA {name}").fetchone()[0])


def _highwater(subject: Subject) -> str:
    path = subject.folder / "highwater.json"
    if not path.exists():
        raise NotRead("none")
    marks = HighWater(path)
    return _json({"epoch": marks.epoch, "feed": marks.feed, "seq": marks.seq, "series": marks.series})


def _files(subject: Subject) -> str:
    """Names, rights and sizes of the data folder; not a byte of what is in them."""
    if not subject.folder.is_dir():
        raise NotRead("no_folder")
    return "".join(f"{line}\n" for line in sorted(_listed(subject.folder)))


def _listed(folder: Path) -> Iterator[str]:
    sums = {name: [0, 0] for name in SUMMED}
    for path in folder.rglob("*"):
        name, state = str(path.relative_to(folder)), path.lstat()
        top = path.relative_to(folder).parts[0]
        if top in sums and top != name:
            sums[top][0] += path.is_file()
            sums[top][1] += state.st_size
            continue
        shown = name if OWN_FILES.fullmatch(name) else f"(another file){_ending(path)}"
        changed = datetime.fromtimestamp(state.st_mtime, UTC)
        owner = f"{state.st_uid}:{state.st_gid}"
        yield f"{shown}\t{state.st_size}\t{state.st_mode:o}\t{owner}\t{changed:%Y-%m-%dT%H:%M:%SZ}"
    yield from (f"{name}/…\t{size}\t{count} files" for name, (count, size) in sums.items() if count)


def _ending(path: Path) -> str:
    return path.suffix if re.fullmatch(r"\.[a-z]{1,5}", path.suffix) else ""


# --- the system ---------------------------------------------------------------------------------------------------


def _journal(subject: Subject) -> str:
    """The last lines of the kiosk's units, else of its log files, in the program's own words."""
    try:
        said = _answer(JOURNAL, WAIT_S)
    except NotRead:
        said = ""
    lines = [_entry(line) for line in said.splitlines()] or list(_log_files(subject.folder))
    if not lines:
        raise NotRead("journal")
    return "".join(f"{line}\n" for line in lines)


def _entry(line: str) -> str:
    """One JSON object of journalctl; a MESSAGE that is not text comes as a list of bytes."""
    entry = json.loads(line)
    told = entry.get("MESSAGE") or ""
    text = told if isinstance(told, str) else bytes(told).decode("utf-8", "replace")
    at = datetime.fromtimestamp(int(entry.get("__REALTIME_TIMESTAMP", 0)) / 1e6, UTC)
    unit = str(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or "")
    unit = unit if re.fullmatch(r"kiosk[a-z-]*\.(?:service|timer|path|socket)", unit) else "?"
    return f"{at:%Y-%m-%dT%H:%M:%SZ} {unit} {redaction.line(' '.join(text.split(chr(10))), redaction.vocabulary())}"


def _log_files(folder: Path) -> Iterator[str]:
    for name in LOGS:
        path = folder / name
        if path.is_file():
            for line in path.read_text(errors="replace").splitlines()[-LINES:]:
                yield f"{name}: {redaction.line(line, redaction.vocabulary())}"


def _kernel(subject: Subject) -> str:
    lines = kernel_log.messages()
    if lines is None:
        raise NotRead("kernel")
    return "".join(f"{text}\n" for line in lines if (text := redaction.kernel(line)))


def _said_by(command: Sequence[str]) -> Callable[[Subject], str]:
    return lambda subject: _answer(command, WAIT_S)


def _answer(command: Sequence[str], seconds: float, statuses: Sequence[int] = (0,)) -> str:
    """What a program wrote. Raises NotRead when it is missing, hangs, or ends badly."""
    environment = {name: value for name, value in os.environ.items() if name != "DEBUG"} | {"LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds, check=False, env=environment, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise NotRead("slow", ten=Path(command[0]).name, s=f"{seconds:g}") from error
    except OSError as error:
        raise NotRead("program", ten=Path(command[0]).name, loi=error) from error
    if done.returncode not in statuses:
        raise NotRead("status", ten=Path(command[0]).name, ma=done.returncode)
    return done.stdout.decode("utf-8", "replace")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
