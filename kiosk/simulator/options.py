"""Options of `kiosk demo`, apart from its code: every command's help needs them, and must not pay for the demo."""

import argparse
from pathlib import Path

DAYS = ("busy", "short")
"""Names of `script.SHAPES`."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--headless", action="store_true", help="no person: run, count, print one line of JSON, end")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after S seconds (headless: 20)")
    parser.add_argument("--per-hour", type=float, metavar="N", help="simulated citizens an hour (headless: 3600)")
    parser.add_argument("--day", choices=DAYS, help="rehearse a whole day, count, end")
    parser.add_argument("--speed", type=float, metavar="X", help="the office's clock goes X times as fast")
    parser.add_argument("--seed", type=int, metavar="N", help="the same citizens again")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="keep database, slips and pictures here")
    parser.add_argument("--port", type=int, default=8765, metavar="N", help="port of the page; 0 = any")
    parser.add_argument("--printer", metavar="URL", help="a real printer, as tcp://HOST:9100")
    parser.add_argument("--server", metavar="URL", help="a real commune server instead of the demo's")
    parser.add_argument("--small-server", action="store_true", help="the small receiver instead of the commune server")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="token for --server")
    parser.add_argument("--device", metavar="NAME", help="this kiosk's name at --server (kiosk-demo)")
    parser.add_argument("--config", metavar="FILE", help="kiosk.toml of a device: its keys, printer, screens, office")
    parser.add_argument("--office", metavar="FILE", help="office document instead of the sample office")
    parser.add_argument("--language", default="vi", metavar="CODE", help="language of screens and slips (vi, en)")
