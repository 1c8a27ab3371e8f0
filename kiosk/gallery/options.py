"""Options of `kiosk screens`, apart from its code: every command's help needs them, and must not pay for drawing."""

import argparse
from pathlib import Path


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dir", type=Path, metavar="DIR", required=True, help="folder of the pictures and index.html")
    parser.add_argument("--office", metavar="FILE", help="office document instead of the sample office")
    parser.add_argument("--config", metavar="FILE", help="kiosk.toml of a device: its office document and fonts")
    parser.add_argument("--size", nargs="+", metavar="WxH", default=[], help="sizes in pixels, as 1280x800")
    parser.add_argument("--lang", nargs="+", metavar="CODE", default=[], help="languages (vi, en)")
    parser.add_argument("--theme", nargs="+", metavar="NAME", default=[], help="themes, as standard")
    parser.add_argument("--view", nargs="+", metavar="NAME", default=[], help="views, as take-busy or all of take")
