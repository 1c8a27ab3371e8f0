"""`kiosk enrol URL CODE`: exchanges a one-time code of a commune server for this kiosk's token.

What can go wrong is looked for before the code is used up. What was learnt goes into files of the data folder, each
replaced whole: the server's address, the name, and last of all the token.
"""

import argparse
import json
import logging
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk import __version__, documents
from kiosk.clock import SystemClock
from kiosk.config import ENROLLED, Config, Sync, enrolled_text
from kiosk.documents import DocumentError
from kiosk.feed import begin_beyond
from kiosk.office import SAMPLE_CODE, Office
from kiosk.setup import load_device, load_office, say_defaults, where
from kiosk.store.database import Database
from kiosk.store.downloads import Downloads
from kiosk.store.durable import sync_folder, write_durably
from kiosk.store.facts import device_id
from kiosk.store.orders import Orders
from kiosk.store.prepare import hold, prepare
from kiosk.texts import Texts
from kiosk.waiting import PART
from sync import wire
from sync.exchange import AddressError, Answer, Exchange, InsecureServer, Silent, Untrusted, check_url

BY = "command line"
REFUSALS = ("code", "taken", "other_device", "busy")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the server said: the kiosk's name and token, where it stands, and the newest epoch that it has of it."""

    device: str
    token: str
    unit: str
    site: str
    epoch: str
    office: str
    office_problem: str


def run(options: argparse.Namespace) -> int:
    """`kiosk enrol`. Raises ValueError with what to do."""
    config = load_device(options.config)
    t, folder = Texts(config.language), Path(config.data_dir)
    say_defaults(config)
    if config.file:
        print(where(config, t), flush=True)
    if options.leave:
        return _leave(config, folder, t)
    if not options.code:
        raise ValueError(t("enrol.usage"))
    before = config.sync if options.url == config.sync.server or not (folder / ENROLLED).exists() else Sync()
    ca_file = str(options.ca_file.resolve()) if options.ca_file else before.ca_file
    plain = options.allow_plain_http or before.allow_plain_http
    _check(config, options, plain, t)
    server = enrolled_text(options.url, ca_file, plain)
    clock = SystemClock()
    prepare(folder, clock.now())
    with hold(folder), closing(Database(folder)) as database:
        name = device_id(folder, config.device)
        for path in (folder / ENROLLED, Path(config.sync.token_file)):
            _check_writable(path)
        office = _office(config)
        is_sample = office is not None and office.unit.code == SAMPLE_CODE
        brought = None if office is None or is_sample else office.to_json().decode()
        done = _ask(options, ca_file, name, brought, config.device == "auto", t)
        begin_beyond(database, clock, done.epoch)
        if (options.url, done.device) != (config.sync.server, name):
            _forget(Path(config.sync.token_file))
        write_durably(folder / ENROLLED, server)
        if done.device != name:
            write_durably(folder / "device-id", done.device)
        write_durably(Path(config.sync.token_file), done.token, 0o600)
        Downloads(database).forget(clock.now())
        Orders(database).give(clock.now(), PART, "restart", by=BY)
    print(t("enrol.done", don_vi=done.unit, diem=done.site, may=done.device))
    print(t("enrol_office.sample" if is_sample else f"enrol_office.{done.office}", loi=done.office_problem))
    print(t("enrol.sends"))
    return 0


def _forget(token: Path) -> None:
    """Of another server or name: a cut before the new one is written must not send it to the new server."""
    token.unlink(missing_ok=True)
    sync_folder(token.parent)


def _leave(config: Config, folder: Path, t: Texts) -> int:
    """No server from now on; events wait in the database, and the office document is the kiosk's own again."""
    if _in_file(config).get("server"):
        raise ValueError(t("enrol.leave_file", tep=config.file))
    clock = SystemClock()
    prepare(folder, clock.now())
    with hold(folder), closing(Database(folder)) as database:
        for path in (folder / ENROLLED, Path(config.sync.token_file)):
            path.unlink(missing_ok=True)
        Downloads(database).forget(clock.now())
        Orders(database).give(clock.now(), PART, "restart", by=BY)
    print(t("enrol.left"))
    return 0


# --- before ---------------------------------------------------------------------------------------------------


def _check(config: Config, options: argparse.Namespace, plain: bool, t: Texts) -> None:
    """What would make the code be used up in vain."""
    try:
        check_url(options.url, plain)
    except InsecureServer as error:
        raise ValueError(t("enrol.plain")) from error
    except AddressError as error:
        raise ValueError(t("enrol.address", url=documents.printable(options.url))) from error
    if _in_file(config).get("server", options.url) != options.url:
        raise ValueError(t("enrol.file_first", tep=config.file))
    if options.replace and config.device != "auto":
        raise ValueError(t("enrol.fixed_name", tep=config.file, may=config.device))


def _in_file(config: Config) -> dict[str, Any]:
    """What kiosk.toml itself says of the server: it goes before what was learnt."""
    own = documents.parse_file(Path(config.file)) if config.file else {}
    return dict(own.get("sync", {}))


def _check_writable(path: Path) -> None:
    """Raises OSError when the file could not be written afterwards."""
    trial = path.with_name(f"{path.name}.trial")
    write_durably(trial, "")
    trial.unlink()


def _office(config: Config) -> Office | None:
    try:
        return load_office(config)
    except DocumentError as error:
        logger.warning("the office document cannot be sent along: %s", error)
        return None


# --- the question ---------------------------------------------------------------------------------------------


def _ask(options: argparse.Namespace, ca_file: str, name: str, office: str | None, rename: bool, t: Texts) -> Enrolled:
    asked = {"code": options.code, "device": name, "app": __version__, "office": office}
    asked |= {"replace": options.replace, "rename": rename}
    with closing(Exchange(ca_file=ca_file or None)) as exchange:
        try:
            url = f"{options.url.rstrip('/')}/api/v1/enrol"
            answer = exchange.post(url, json.dumps(asked).encode(), "application/json")
        except Silent as error:
            key = "enrol.untrusted" if isinstance(error, Untrusted) else "enrol.silent"
            raise ValueError(t(key, loi=str(error))) from error
    if answer.http != 200:
        raise ValueError(_refusal(answer, options, name, t))
    try:
        return _enrolled(answer.parsed())
    except wire.WireError as error:
        raise ValueError(t("enrol.odd", url=options.url, loi=str(error))) from error


def _refusal(answer: Answer, options: argparse.Namespace, name: str, t: Texts) -> str:
    code = answer.code()
    if code in REFUSALS:
        return t(f"enrol.{code}", may=name)
    says = answer.message() if code else answer.odd()
    return t("enrol.odd", url=options.url, loi=documents.printable(says))


def _enrolled(raw: dict[str, Any]) -> Enrolled:
    """Raises wire.WireError for an answer that makes no sense."""
    names = ("device", "token", "unit", "site", "epoch", "office")
    values = [raw.get(key) for key in names]
    if not all(isinstance(value, str) for value in values) or raw["office"] not in ("none", "taken", "kept", "broken"):
        raise wire.WireError("device, token, unit, site, epoch or office missing or not as expected")
    if not raw["token"].isascii() or not raw["token"].isprintable() or not raw["token"] or " " in raw["token"]:
        raise wire.WireError("a token with characters that no token has")
    if raw["epoch"] and not wire.is_likely(raw["epoch"]):
        raise wire.WireError("an epoch that cannot be")
    wire.check_device(raw["device"])
    shown = (documents.printable(str(raw.get(key, "")))[:300] for key in ("unit", "site", "office_problem"))
    unit, site, problem = shown
    return Enrolled(raw["device"], raw["token"], unit, site, raw["epoch"], raw["office"], problem)
