"""The docs know every key of kiosk.toml, of the office document and of server.toml, and no other.

`python -m tests.test_config_docs` writes the tables again after a declaration has changed.
"""

import dataclasses
import json
import re
import tomllib
import typing
from importlib import resources
from pathlib import Path

import pytest

from kiosk.config import Config, load_config, shipped
from kiosk.office import FACES, Office
from kiosk.panel_rules import ACTION
from kiosk.schema import keys, markdown
from server.config import Config as ServerConfig

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [(DOCS / "configuration.md", Config), (DOCS / "office.md", Office), (DOCS / "server.md", ServerConfig)]
TABLE = re.compile(r"(<!-- keys: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def declared_in(root):
    """A document's class and all classes below it, in order."""
    found = [root]
    for hint in (typing.get_type_hints(root)[f.name] for f in keys(root)):
        inner = [part for part in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(part)]
        found += [below for part in inner for below in declared_in(part) if below not in found]
    return found


@pytest.mark.parametrize(("page", "root"), PAGES)
def test_every_key_is_documented_as_it_is_declared_and_no_other(page, root):
    documented = {name: table.strip() for _, name, table, _ in TABLE.findall(page.read_text("utf-8"))}
    declared = {part.__name__: markdown(part) for part in declared_in(root)}
    assert documented == declared, "write the tables again: python -m tests.test_config_docs"


def examples(page):
    return re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def test_the_example_of_kiosk_toml_can_be_read(tmp_path):
    for number, example in enumerate(examples(DOCS / "configuration.md")):
        path = tmp_path / f"{number}.toml"
        path.write_text(example, "utf-8")
        assert load_config(path).printer.paper_mm == 58


def test_the_examples_of_the_office_document_can_be_read():
    office = tomllib.loads((resources.files("kiosk.assets") / "office.sample.toml").read_text("utf-8"))
    for example in examples(DOCS / "office.md"):
        plain = office | tomllib.loads(example)
        assert Office.from_json(json.dumps(plain, default=str).encode())


def test_every_action_is_documented_and_no_other():
    page = (DOCS / "configuration.md").read_text("utf-8")
    (actions,) = re.findall(r"### Actions\n(.*?)\n`\[buttons", page, re.DOTALL)
    documented = {
        re.sub("SERVICE", "ho-tich", word).replace("COUNTER", "1") for word in re.findall(r"\| (`.*`) \|", actions)
    }
    documented = {word for row in documented for word in re.findall(r"`([^`]+)`", row)}
    used = {re.sub(r":\d+", ":1", action) for action in shipped().buttons.keyboard.values()}
    assert all(ACTION.fullmatch(action) for action in documented)
    named = {action for action in used if not action.startswith("take:")} | {f"rate:1:{face}" for face in FACES}
    assert named | {"take:ho-tich"} == documented


def write_tables():
    for page, root in PAGES:
        tables = {part.__name__: markdown(part) for part in declared_in(root)}
        text = page.read_text("utf-8")
        page.write_text(TABLE.sub(lambda m: f"{m[1]}\n{tables[m[2]]}\n\n{m[4]}", text), "utf-8")  # noqa: B023


if __name__ == "__main__":
    write_tables()
