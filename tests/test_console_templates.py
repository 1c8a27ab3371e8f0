"""The console's templates: the sentences that they ask for exist and get their values; nothing is inline."""

import re
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from kiosk.console.site import HERE, current
from kiosk.texts import sentences, values

TEMPLATES = sorted((HERE / "templates").rglob("*.html"))


@pytest.mark.parametrize(
    ("path", "marked"), [("/help", "page"), ("/help/find", "true"), ("/helpful", ""), ("/hel", ""), ("/", "")]
)
def test_a_link_is_marked_on_its_own_page_and_on_those_below_and_no_other(path: str, marked: str):
    assert current(path, "/help") == marked


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(HERE)))
def test_every_sentence_of_a_template_exists_and_gets_its_values(path: Path):
    usual = sentences("vi")
    for call in jinja2.Environment().parse(path.read_text("utf-8")).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "t" and isinstance(call.args[0], nodes.Const):
            key, given = call.args[0].value, {value.key for value in call.kwargs}
            assert key in usual, key
            assert values(usual[key]) <= given, key


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(HERE)))
def test_a_template_has_no_inline_script_style_or_foreign_address(path: Path):
    text = path.read_text("utf-8")
    assert not re.search(r"""<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:""", text)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text)
