"""`kiosk handover`: the hand-over record (biên bản bàn giao) as one HTML page to print and sign.

It says which device was handed over, in which state, and who answers for it; people sign on paper. It holds no secret.
"""

import argparse
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from kiosk import __version__
from kiosk.addresses import own_url
from kiosk.check import look
from kiosk.clock import Moment, SystemClock, Vouched
from kiosk.config import Config, load_config
from kiosk.findings import Finding, title
from kiosk.office import Office
from kiosk.setup import load_office
from kiosk.store.facts import device_id
from kiosk.store.look import noted
from kiosk.texts import Texts

ITEMS = ("kiosk", "clock", "printer", "screen", "keys", "sound", "key", "guide")
"""What is handed over, for people to tick."""
SIGN = ("gives", "takes", "witness")

STYLE = """body{font:14px/1.5 sans-serif;max-width:180mm;margin:10mm auto}h1{text-align:center;font-size:20px}
table{border-collapse:collapse;width:100%;margin:4mm 0}td,th{border:1px solid #000;padding:1.5mm 2mm;text-align:left;
vertical-align:top}.sign td{border:0;text-align:center;width:33%;padding-bottom:28mm}.top{text-align:center}
@page{size:A4;margin:12mm}"""


def run(options: argparse.Namespace) -> int:
    """Write the page; its path is printed."""
    config = load_config(options.config)
    office, t, folder = load_office(config), Texts(config.language), Path(config.data_dir)
    now = SystemClock(vouched=Vouched.read(noted(folder, "vouched"))).now()
    name = device_id(folder, config.device)
    out = options.out or Path(f"ban-giao-{name}.html")
    out.write_text(page(name, config, office, list(look(config, None, t)), now, t), encoding="utf-8")
    print(out)
    return 0


def page(name: str, config: Config, office: Office, found: Sequence[Finding], now: Moment, t: Texts) -> str:
    """The record of the kiosk of this name, as it is found now."""
    facts = {
        "handover.unit": office.unit.name,
        "handover.site": office.site.name,
        "handover.device": name,
        "handover.version": __version__,
        "handover.console": own_url(config.console.scheme, config.console.port),
        "handover.server": config.sync.server or t("check.no_server"),
        "handover.counters": ", ".join(counter.label for counter in office.counters),
    }
    body = [
        f'<p class="top">{escape(office.unit.name)}</p><h1>{escape(t("handover.title"))}</h1>',
        f"<p>{escape(t('handover.when', ngay=t.date(now.local), gio=t.clock(now.local)))}</p>",
        _table((t(key), value) for key, value in facts.items()),
        f"<h2>{escape(t('handover.state'))}</h2>",
        _table((title(one.part, t), _said(one, t)) for one in found),
        f"<h2>{escape(t('handover.items'))}</h2>",
        _table(("☐", t(f"handover_item.{item}")) for item in ITEMS),
        f"<p>{escape(t('handover.words'))}</p>",
        '<table class="sign"><tr>'
        + "".join(f"<td>{escape(t(f'handover.{who}'))}</td>" for who in SIGN)
        + "</tr></table>",
    ]
    head = f'<meta charset="utf-8"><title>{escape(t("handover.title"))}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="{t.base}"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _said(finding: Finding, t: Texts) -> str:
    mark = t("check.note" if finding.note else "check.ok" if finding.ok else "check.wrong")
    return f"{mark}: {finding.line}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = (f"<tr><th>{escape(left)}</th><td>{escape(right)}</td></tr>" for left, right in rows)
    return f"<table>{''.join(cells)}</table>"
