"""The server's sentences: each is asked for somewhere, so that nobody translates what nobody reads."""

import re
import tomllib
from pathlib import Path

import kiosk
import server
import sync

LANG = Path(server.__file__).parent / "lang"
SOURCES = [path for part in (server, kiosk, sync) for path in Path(part.__file__).parent.rglob("*")
           if path.suffix in (".py", ".html", ".js")]  # fmt: skip
WHOLE = re.compile(r"""["']([a-z_]+\.[a-z_0-9.]+)["']""")
MADE = re.compile(r"""["']([a-z_]+\.[a-z_]*)(?:\{[^{}]*\}([a-z_]*)["']|\{|["'] ~)""")
"""A key of which a part is put in: f"health.{key}", f"alarms.{edge}_subject", "health.part_" ~ kind."""
OF_DJANGO = {"invalid_choice", "null_characters_not_allowed", "password_entirely_numeric", "password_too_common",
             "password_too_similar"}  # fmt: skip
"""Its codes of what is wrong with a form or a password."""


def keys() -> set[str]:
    groups = tomllib.loads((LANG / "vi.toml").read_text())
    return {f"{group}.{key}" for group, sentences in groups.items() for key in sentences}


def test_every_sentence_is_asked_for_somewhere():
    code = "\n".join(path.read_text() for path in SOURCES)
    asked, made, words = set(WHOLE.findall(code)), set(MADE.findall(code)), set(re.findall(r"\w+", code)) | OF_DJANGO

    def is_made(key: str, start: str, end: str) -> bool:
        """What is put in stands somewhere as a word of its own, or is made of such: a level, a state, a field."""
        put_in = key.removeprefix(start).removesuffix(end)
        return key == start + put_in + end and (put_in in words or {*re.split("[._]", put_in)} <= words)

    unused = [key for key in keys() - asked if not any(is_made(key, *each) for each in made)]
    assert sorted(unused) == []
