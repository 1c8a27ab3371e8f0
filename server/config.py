# ruff: noqa: RUF009 - `key` is our `dataclasses.field`
"""server.toml: where the server keeps its data, and how it is reached. Every wrong key is reported at once."""

import ipaddress
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kiosk import documents
from kiosk.schema import Check, Reader, between, key, matches, one_of

FILE = "/etc/kiosk-server/server.toml"
ENVIRONMENT = "KIOSK_SERVER_CONFIG"
SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Mail:
    """Where alarms go out."""

    host: str = key("mail server; empty = no mail", "")
    port: int = key("its port", 587, between(1, 65535))
    user: str = key("name to sign in with; empty = none", "")
    password_file: str = key("file with the password", "")
    tls: bool = key("STARTTLS", True)
    sender: str = key("address that mails come from", "")


def _is_network(text: str) -> bool:
    try:
        return bool(ipaddress.ip_network(text))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Alarms:
    """What webhooks may reach beside the internet."""

    networks: tuple[str, ...] = key(
        "networks beside the internet in which webhooks may end, as 10.20.0.0/16",
        (),
        Check("a network, as 10.20.0.0/16", _is_network),
    )
    ca_file: str = key("authority of webhooks that have a certificate of their own; empty = the system's", "")


@dataclass(frozen=True, slots=True)
class Keep:
    """How long is kept what concerns single people; sums stay for ever.

    A kiosk keeps its events for 400 days, and sends them again after its database was restored: what the server had
    dropped earlier would count as new.
    """

    ticket_months: int = key("tickets, ratings and raw events", 24, between(14, 120, "months"))
    audit_months: int = key("who did or read what", 24, between(1, 120, "months"))


@dataclass(frozen=True, slots=True)
class Config:
    """All of server.toml, paths made absolute; `file` is where it was read."""

    data_dir: str = key("folder of the database, photos and secrets", "/var/lib/kiosk-server")
    database: str = key(
        "postgresql://USER:PASSWORD@HOST:PORT/NAME; empty = SQLite in data_dir",
        "",
        matches(r"|postgresql://\S+", "empty, or postgresql://USER:PASSWORD@HOST:PORT/NAME"),
    )
    language: str = key("language of pages before somebody signs in", "vi", one_of("vi", "en"))
    url: str = key(
        "address under which browsers, phones and kiosks reach this server",
        "http://127.0.0.1:8800",
        matches(r"https?://[A-Za-z0-9.\[\]:-]+", "http:// or https:// with a name, without a path"),
    )
    listen: str = key("address to answer on; a web server in front brings HTTPS", "127.0.0.1")
    port: int = key("its port; 0 takes a free one", 8800, between(0, 65535))
    threads: int = key("requests that are answered at the same time", 8, between(1, 64))
    pull_loopback: bool = key("fetch from kiosks on this very machine; for tests and the demo", False)
    behind_proxy: bool = key("trust X-Forwarded-Proto of the web server in front", False)
    log_level: str = key("what is logged", "info", one_of("debug", "info", "warning", "error"))
    mail: Mail = key("where alarms go out", Mail())
    alarms: Alarms = key("what webhooks of alarms may reach", Alarms())
    keep: Keep = key("how long things are kept", Keep())
    file: str = field(default="", compare=False)

    @property
    def folder(self) -> Path:
        return Path(self.data_dir)

    @property
    def secure(self) -> bool:
        """Whether browsers come by HTTPS."""
        return self.url.startswith("https://")

    @property
    def only_here(self) -> bool:
        """Whether the address leads every other machine to itself: nobody has set it yet."""
        with suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"

    @property
    def host(self) -> str:
        """The name in the address, without a port."""
        return urlsplit(self.url).hostname or "localhost"


def load(path: Path | str | None = None) -> Config:
    """The configuration in a file: `path`, else $KIOSK_SERVER_CONFIG, else /etc/kiosk-server/server.toml if there.

    Relative paths start at the file's folder. Raises DocumentError with everything that is wrong in it.
    """
    named = path or os.environ.get(ENVIRONMENT)
    file = Path(named or FILE)
    plain = documents.parse_file(file) if named or file.exists() else {}
    reader = Reader(str(file))
    config = reader.table(Config, plain)
    reader.finish()
    folder = file.parent.resolve()

    def whole(path: str) -> str:
        return str(folder / path) if path else ""

    return replace(
        config,
        data_dir=str(folder / config.data_dir),
        mail=replace(config.mail, password_file=whole(config.mail.password_file)),
        alarms=replace(config.alarms, ca_file=whole(config.alarms.ca_file)),
        file=str(file.resolve()),
    )


def database(config: Config) -> Mapping[str, Any]:
    """Django's settings of the database.

    SQLite: WAL and synchronous=FULL lose nothing in a power cut (docs/server.md), IMMEDIATE takes the write lock at the
    beginning, so that two writers wait for each other instead of failing.
    """
    if not config.database:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(config.folder / "server.db"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 10,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536",
            },
        }
    url = urlsplit(config.database)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def secret(config: Config) -> str:
    """The key that signs sessions. Without one yet, one that lives as long as the process."""
    file = config.folder / SECRET
    return (file.read_text().strip() if file.exists() else "") or secrets.token_urlsafe(48)


def check_meant(config: Config) -> None:
    """Raises ValueError where neither a server.toml nor data are: a command would begin a server that nobody wants."""
    if not (Path(config.file).exists() or config.folder.exists()):
        todo = "write server.toml first (docs/server.md), or name the one that is meant: --config FILE"
        raise ValueError(f"there is no server here, neither {config.file} nor {config.folder}: {todo}")


def make_folder(config: Config) -> None:
    """The data folder with the key that signs sessions, readable by the server alone. Raises OSError."""
    config.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    kept_key(config.folder / SECRET, lambda: secrets.token_urlsafe(48))


def kept_key(file: Path, make: Callable[[], str]) -> str:
    """The key in a file, readable by its owner alone; made and on the disk before anybody uses it. Raises OSError.

    An empty file is what a power cut left of one that nobody used yet. Of two processes that make it at once, one wins.
    """
    found = file.read_text().strip() if file.exists() else ""
    if found:
        return found
    file.unlink(missing_ok=True)
    handle, fresh = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(handle, "w") as opened:
            opened.write(make())
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(fresh, file)
    finally:
        Path(fresh).unlink()
    _sync_folder(file.parent)
    return file.read_text().strip()


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
