"""Which way imports point, and where each outside library lives (docs/architecture.md)."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Module (longest prefix wins) → what it may import of the project. Standard library and listed libraries apart.
ARROWS: dict[str, set[str]] = {
    "kiosk": set(),
    "kiosk.__main__": {"kiosk", "sync"},
    "kiosk.staff_commands": {"kiosk"},
    "kiosk.data_commands": {"kiosk", "sync"},
    "kiosk.signals": set(),
    "kiosk.assets": set(),
    "kiosk.lang": set(),
    "kiosk.app": {
        "kiosk.adopting", "kiosk.canary", "kiosk.clock", "kiosk.config", "kiosk.findings",
        "kiosk.front", "kiosk.glass", "kiosk.keys",
        "kiosk.memory", "kiosk.notify", "kiosk.office", "kiosk.orders", "kiosk.parts", "kiosk.present",
        "kiosk.printer", "kiosk.reports", "kiosk.screen", "kiosk.showing", "kiosk.sound", "kiosk.standing",
        "kiosk.startup", "kiosk.store", "kiosk.tickets", "kiosk.views.model", "kiosk.voice.engine", "kiosk.windows",
    },
    "kiosk.showing": {
        "kiosk.clock", "kiosk.front", "kiosk.present", "kiosk.store", "kiosk.tickets", "kiosk.views.model",
    },
    "kiosk.glass": {
        "kiosk.clock", "kiosk.config", "kiosk.fonts", "kiosk.screen", "kiosk.startup", "kiosk.windows",
    },
    "kiosk.startup": {
        "kiosk.addresses", "kiosk.clock", "kiosk.config", "kiosk.devices", "kiosk.findings", "kiosk.office",
        "kiosk.parts", "kiosk.present", "kiosk.screen", "kiosk.store", "kiosk.texts", "kiosk.views.model",
        "kiosk.views.theme",
    },
    "kiosk.parts": {
        "kiosk.buttons", "kiosk.clock", "kiosk.config", "kiosk.keypad", "kiosk.office",
        "kiosk.present", "kiosk.printer", "kiosk.sheets", "kiosk.slip", "kiosk.sound", "kiosk.store", "kiosk.typeset",
        "kiosk.voice",
    },
    "kiosk.front": {
        "kiosk.clock", "kiosk.hours", "kiosk.present", "kiosk.store", "kiosk.tickets", "kiosk.views.model",
    },
    "kiosk.console": {
        "kiosk.addresses", "kiosk.clock", "kiosk.config", "kiosk.console", "kiosk.documents", "kiosk.dossiers",
        "kiosk.drafting", "kiosk.feed", "kiosk.findings", "kiosk.kernel_log", "kiosk.machine", "kiosk.memory",
        "kiosk.notify", "kiosk.office",
        "kiosk.orders", "kiosk.panel_rules", "kiosk.pins", "kiosk.present", "kiosk.programs", "kiosk.public",
        "kiosk.receiving",
        "kiosk.revising", "kiosk.setup", "kiosk.store", "kiosk.texts", "kiosk.tickets", "kiosk.views.figures",
        "kiosk.views.model", "kiosk.views.theme", "kiosk.vitals", "sync.beside", "sync.export", "sync.fetched",
        "sync.offers", "sync.wire",
    },
    "kiosk.console.shrinking": {"kiosk.console.apart", "kiosk.photos", "kiosk.views.figures"},
    "kiosk.addresses": set(),
    "kiosk.pins": set(),
    "kiosk.check": {"kiosk"},
    "kiosk.collect": {
        "kiosk.config", "kiosk.documents", "kiosk.kernel_log", "kiosk.redaction", "kiosk.setup",
        "kiosk.store.files", "kiosk.store.highwater", "kiosk.telling", "kiosk.texts",
        "kiosk.vitals",
    },
    "kiosk.redaction": {"kiosk.documents", "kiosk.office"},
    "kiosk.telling": {
        "kiosk.config", "kiosk.documents", "kiosk.pins", "kiosk.store.database", "kiosk.texts", "kiosk.tickets",
        "sync.export",
    },
    "kiosk.broken": {
        "kiosk.clock", "kiosk.config", "kiosk.documents", "kiosk.findings", "kiosk.fonts", "kiosk.notify",
        "kiosk.office", "kiosk.screen", "kiosk.setup", "kiosk.standby", "kiosk.standing", "kiosk.startup",
        "kiosk.texts", "kiosk.views.model", "kiosk.windows",
    },
    "kiosk.findings": {
        "kiosk.addresses", "kiosk.clock", "kiosk.config", "kiosk.devices", "kiosk.documents", "kiosk.fonts",
        "kiosk.languages", "kiosk.office", "kiosk.photos", "kiosk.present.calling", "kiosk.store.database",
        "kiosk.texts", "kiosk.voice.pack", "kiosk.wiring",
    },
    "kiosk.adopting": {
        "kiosk.app", "kiosk.config", "kiosk.office", "kiosk.parts", "kiosk.present", "kiosk.setup", "kiosk.sheets",
    },
    "kiosk.reports": {
        "kiosk.canary", "kiosk.clock", "kiosk.config", "kiosk.findings", "kiosk.screen", "kiosk.sound",
        "kiosk.store", "kiosk.windows",
    },
    "kiosk.orders": {"kiosk.clock", "kiosk.office", "kiosk.present.words", "kiosk.store"},
    "kiosk.office_command": {
        "kiosk.clock", "kiosk.config", "kiosk.documents", "kiosk.office", "kiosk.photos", "kiosk.present.words",
        "kiosk.revising", "kiosk.setup", "kiosk.store", "kiosk.texts", "kiosk.tickets",
    },
    "kiosk.enrol_command": {
        "kiosk.clock", "kiosk.config", "kiosk.documents", "kiosk.feed", "kiosk.office", "kiosk.setup", "kiosk.store",
        "kiosk.texts", "kiosk.waiting", "sync.exchange", "sync.wire",
    },
    "kiosk.update_command": {
        "kiosk.clock", "kiosk.config", "kiosk.fetching", "kiosk.hours", "kiosk.office", "kiosk.setup", "kiosk.store",
    },
    "kiosk.fetching": {"kiosk.config"},
    "kiosk.drafting": {
        "kiosk.documents", "kiosk.office", "kiosk.office_rules", "kiosk.revising", "kiosk.schema",
    },
    "kiosk.revising": {"kiosk.config", "kiosk.documents", "kiosk.office", "kiosk.schema", "kiosk.wiring"},
    "kiosk.setup": {
        "kiosk.config", "kiosk.documents", "kiosk.languages", "kiosk.office", "kiosk.present.words", "kiosk.revising",
        "kiosk.store.database", "kiosk.store.look", "kiosk.store.offices", "kiosk.texts", "kiosk.wiring",
    },
    "kiosk.languages": {"kiosk.documents", "kiosk.schema", "kiosk.texts"},
    "kiosk.present": {
        "kiosk.calls", "kiosk.clock", "kiosk.documents", "kiosk.dossiers", "kiosk.hours", "kiosk.numerals",
        "kiosk.office", "kiosk.present", "kiosk.rating", "kiosk.slip", "kiosk.store", "kiosk.texts", "kiosk.tickets",
        "kiosk.views.model",
    },
    "kiosk.board_document": {"kiosk.documents", "kiosk.dossiers", "kiosk.schema", "kiosk.tickets"},
    "kiosk.dossiers": {"kiosk.clock", "kiosk.documents", "kiosk.tickets"},
    "kiosk.photos": set(),
    "kiosk.documents": {"kiosk.schema"},
    "kiosk.schema": {"kiosk.documents"},
    "kiosk.texts": set(),
    "kiosk.config": {"kiosk.documents", "kiosk.office", "kiosk.panel_rules", "kiosk.schema"},
    "kiosk.panel_rules": {"kiosk.config", "kiosk.office", "kiosk.schema"},  # classes of config: as types alone
    "kiosk.wiring": {"kiosk.config", "kiosk.documents", "kiosk.office", "kiosk.panel_rules", "kiosk.schema"},
    "kiosk.office": {
        "kiosk.documents", "kiosk.hours", "kiosk.office_rules", "kiosk.rating", "kiosk.rulebook", "kiosk.schema",
        "kiosk.tickets",
    },
    "kiosk.office_rules": {"kiosk.office", "kiosk.schema", "kiosk.texts"},  # the office's classes: as types alone
    "kiosk.hall": {"kiosk.office"},
    "kiosk.rulebook": {"kiosk.hours", "kiosk.rating", "kiosk.tickets"},
    "kiosk.hours": set(),
    "kiosk.tickets": set(),
    "kiosk.turns": {"kiosk.tickets"},
    "kiosk.rating": {"kiosk.tickets"},
    "kiosk.clock": set(),
    "kiosk.notify": set(),
    "kiosk.standing": {"kiosk.notify"},
    "kiosk.standby": {"kiosk.config", "kiosk.documents", "kiosk.notify"},
    "kiosk.store": {
        "kiosk.board_document", "kiosk.calls", "kiosk.clock", "kiosk.dossiers", "kiosk.hours", "kiosk.pins",
        "kiosk.public.state", "kiosk.rating", "kiosk.rulebook", "kiosk.store", "kiosk.tickets", "kiosk.turns",
        "sync.beside",
        "sync.ids", "sync.outbox", "sync.wire",
    },
    "kiosk.public": {"kiosk.public", "kiosk.rating", "kiosk.texts", "kiosk.tickets", "kiosk.turns"},
    "kiosk.keys": set(),
    "kiosk.sound": {"kiosk.programs"},
    "kiosk.programs": set(),
    "kiosk.calls": {"kiosk.tickets"},
    "kiosk.numerals": set(),
    "kiosk.voice": {
        "kiosk.calls", "kiosk.present.calling", "kiosk.programs", "kiosk.sound", "kiosk.store", "kiosk.texts",
        "kiosk.voice",
    },
    "kiosk.voice.pcm": set(),
    "kiosk.voice.command": {
        "kiosk.calls", "kiosk.config", "kiosk.parts", "kiosk.present.calling", "kiosk.programs", "kiosk.setup",
        "kiosk.sound", "kiosk.tickets", "kiosk.voice",
    },
    "kiosk.buttons": {"kiosk.keys"},
    "kiosk.keypad": {"kiosk.keys"},
    "kiosk.slip": {"kiosk.column", "kiosk.logo", "kiosk.symbol", "kiosk.typeset"},
    "kiosk.sheets": {
        "kiosk", "kiosk.addresses", "kiosk.calibration", "kiosk.check", "kiosk.clock", "kiosk.column", "kiosk.config",
        "kiosk.findings", "kiosk.store", "kiosk.symbol", "kiosk.texts", "kiosk.tickets",
    },
    "kiosk.stick_command": {"kiosk", "sync.outbox"},
    "kiosk.handover": {
        "kiosk", "kiosk.addresses", "kiosk.check", "kiosk.clock", "kiosk.config", "kiosk.findings", "kiosk.office",
        "kiosk.setup", "kiosk.store", "kiosk.texts",
    },
    "kiosk.calibration": {"kiosk.column", "kiosk.symbol", "kiosk.typeset"},
    "kiosk.column": {"kiosk.typeset"},
    "kiosk.logo": {"kiosk.photos", "kiosk.typeset"},
    "kiosk.symbol": {"kiosk.typeset"},
    "kiosk.typeset": {"kiosk.fonts"},
    "kiosk.fonts": set(),
    "kiosk.raster": set(),
    "kiosk.printer": {"kiosk.printer_device", "kiosk.raster", "kiosk.slip", "kiosk.transport"},
    "kiosk.printer_device": {"kiosk.raster", "kiosk.transport"},
    "kiosk.transport": {"kiosk.printer_device"},
    "kiosk.screen": {"kiosk.fingers", "kiosk.keys", "kiosk.views", "kiosk.windows"},
    "kiosk.fingers": {"kiosk.keys"},
    "kiosk.windows": {"kiosk.views"},
    "kiosk.memory": set(),
    "kiosk.views": {"kiosk.fonts", "kiosk.photos", "kiosk.views"},
    "kiosk.views.model": set(),
    "kiosk.feed": {"kiosk.clock", "kiosk.signs", "kiosk.store", "kiosk.vitals", "sync.outbox", "sync.wire"},
    "kiosk.uplink": {
        "kiosk.clock", "kiosk.config", "kiosk.downlink", "kiosk.feed", "kiosk.kernel_log", "kiosk.store",
        "kiosk.waiting", "sync",
    },
    "kiosk.waiting": {"kiosk.clock", "kiosk.notify", "kiosk.store"},
    "kiosk.downlink": {"kiosk.clock", "kiosk.config", "kiosk.receiving", "kiosk.store", "sync"},
    "kiosk.receiving": {
        "kiosk.board_document", "kiosk.clock", "kiosk.config", "kiosk.documents", "kiosk.dossiers", "kiosk.office",
        "kiosk.revising", "kiosk.setup", "kiosk.store", "sync.offers",
    },
    "kiosk.vitals": set(),
    "kiosk.kernel_log": {"kiosk.vitals"},
    "kiosk.devices": {"kiosk.vitals"},
    "kiosk.canary": set(),
    "kiosk.machine": {"kiosk.canary", "kiosk.findings", "kiosk.kernel_log", "kiosk.texts", "kiosk.vitals"},
    "kiosk.signs": {"kiosk.kernel_log", "kiosk.vitals"},
    "kiosk.gallery": {"kiosk"},
    "kiosk.simulator": {"kiosk", "server", "sync"},
    "kiosk.simulator.printer": {"kiosk.simulator.escpos_decoder"},
    "kiosk.simulator.escpos_decoder": set(),
    "kiosk.simulator.audit": set(),
    "kiosk.simulator.rehearsal.book": set(),
    "sync": {"sync"},
    "server": {
        "kiosk.board_document", "kiosk.documents", "kiosk.dossiers", "kiosk.drafting", "kiosk.hours", "kiosk.notify",
        "kiosk.numerals", "kiosk.office", "kiosk.photos", "kiosk.public", "kiosk.rating", "kiosk.revising",
        "kiosk.schema", "kiosk.texts", "kiosk.tickets", "kiosk.turns", "server", "sync",
    },
}  # fmt: skip

# Outside library → the modules that may import it.
HOMES: dict[str, tuple[str, ...]] = {
    "gpiozero": ("kiosk.buttons",),
    "lgpio": ("kiosk.buttons",),
    "escpos": ("kiosk.transport", "kiosk.printer"),
    "pygame": ("kiosk.screen", "kiosk.windows", "kiosk.views", "kiosk.simulator", "kiosk.gallery"),
    "requests": ("sync.exchange",),
    "urllib3": ("sync.exchange",),
    "sqlite_utils": ("kiosk.store",),
    "starlette": ("kiosk.simulator", "kiosk.console"),
    "uvicorn": ("kiosk.simulator", "kiosk.console.server", "kiosk.console.patience"),
    "h11": ("kiosk.console.patience",),
    "sse_starlette": ("kiosk.console.live",),
    "cryptography": ("kiosk.console.certificates", "server.pull.secrets"),
    "django": ("server", "kiosk.simulator.commune_child", "kiosk.simulator.commune_urls"),
    "waitress": ("server.web", "kiosk.simulator.commune_child"),
    "jinja2": ("kiosk.console", "kiosk.public", "server.pages"),
    "qrcode": ("kiosk.console.codes", "kiosk.symbol", "kiosk.views", "server.qr"),
    "PIL": (
        "kiosk.column", "kiosk.logo", "kiosk.symbol",
        "kiosk.slip", "kiosk.calibration", "kiosk.sheets", "kiosk.typeset", "kiosk.raster", "kiosk.printer",
        "kiosk.printer_device",
        "kiosk.gallery", "kiosk.parts", "kiosk.photos", "kiosk.views", "kiosk.simulator",
    ),
}  # fmt: skip

FILES = sorted([*ROOT.glob("kiosk/**/*.py"), *ROOT.glob("sync/*.py"), *ROOT.glob("server/**/*.py")])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Full names of what a file imports, wherever in it; `from a import b` counts as a.b when that is a module."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (ROOT / (inner.replace(".", "/") + ".py")).exists() or (
                    ROOT / inner.replace(".", "/")
                ).is_dir()
                names.add(inner if is_module else str(node.module))
    return names


def within(name: str, allowed: tuple[str, ...] | set[str]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in allowed)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_the_way_that_the_architecture_says(path: Path):
    module = module_of(path)
    rule = max((prefix for prefix in ARROWS if within(module, (prefix,))), key=len)
    assert rule != "kiosk" or module == "kiosk", f"{module} has no rule: add it to ARROWS and docs/architecture.md"
    own = {name for name in imported(path) if name.split(".")[0] in ("kiosk", "sync", "server")} - {"kiosk"}
    wrong = {name for name in own if not within(name, ARROWS[rule])}
    assert not wrong, f"{module} imports {sorted(wrong)}"


def described() -> set[str]:
    """The modules in the first column of the table in docs/architecture.md; the first of a row gives the folder."""
    names = set()
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        cell = line.partition("|")[2].partition("|")[0]
        if cell.startswith((" `kiosk/", " `sync/", " `server/")):
            first, *others = (name.strip("/") for name in re.findall(r"`([^`]+)`", cell))
            names |= {first, *(name if "/" in name else f"{first.partition('/')[0]}/{name}" for name in others)}
    return {name.replace("/", ".") for name in names}


def test_the_table_of_the_docs_and_the_arrows_know_the_same_modules():
    inner = {name for name in ARROWS if any(name.startswith(f"{other}.") for other in ARROWS if other != "kiosk")}
    assert described() == ARROWS.keys() - inner - {"kiosk", "kiosk.assets", "kiosk.lang"}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_each_outside_library_has_one_home(path: Path):
    module = module_of(path)
    wrong = {
        library
        for library in (name.split(".")[0] for name in imported(path))
        if library in HOMES and not within(module, HOMES[library])
    }
    assert not wrong, f"{module} imports {sorted(wrong)}"


def test_nothing_probes_for_the_systemd_module():
    """The folder systemd/ makes `import systemd` succeed from the repository's root."""
    assert all("systemd" not in {name.split(".")[0] for name in imported(path)} for path in FILES)
