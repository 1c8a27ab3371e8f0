"""Options of `kiosk voice`, apart from its code: every command's help needs them."""

import argparse
from pathlib import Path

CONFIG = "kiosk.toml (else $KIOSK_CONFIG, else /etc/kiosk/kiosk.toml)"
KINDS = ("call", "priority", "recall", "no-show")


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the tasks and their options."""
    tasks = parser.add_subparsers(metavar="TASK", dest="task", required=True)

    def add(name: str, says: str) -> argparse.ArgumentParser:
        task = tasks.add_parser(name, help=says, description=says)
        task.add_argument("--config", metavar="FILE", help=CONFIG)
        return task

    clips = add("list", "every clip that calls need: recorded, made by the computer's voice, or missing")
    _add_pack(clips)
    make = add("make", "have the computer's voice speak every clip that is not there yet")
    _add_pack(make)
    make.add_argument("--voice", metavar="NAME", default="", help="a voice of espeak-ng, as vi-vn-x-south")
    take = add("import", "take recordings over, each named by its clip, as den-quay-so.wav")
    take.add_argument("pack", metavar="DIR", type=Path, help="the pack's folder, as /var/lib/kiosk/voices/vi")
    take.add_argument("files", metavar="WAV", type=Path, nargs="+", help="WAV files, or folders of them")
    take.add_argument("--language", metavar="CODE", help="language of the pack (else as its folder is named)")
    say = add("say", "play a call as it is heard in the hall")
    say.add_argument("number", metavar="NUMBER", help="the number, as 1002")
    say.add_argument("counter", metavar="COUNTER", help="id of the counter")
    say.add_argument("--kind", choices=KINDS, default="call", help="what is said")
    say.add_argument("--out", metavar="FILE", type=Path, help="write it to a WAV file instead")


def _add_pack(task: argparse.ArgumentParser) -> None:
    task.add_argument("pack", metavar="DIR", type=Path, nargs="?", help="the pack's folder (else those of the device)")
    task.add_argument("--language", metavar="CODE", help="this language (else those of [voice] languages)")
