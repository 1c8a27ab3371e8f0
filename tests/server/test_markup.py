"""What templates promise to people who cannot see well or have no mouse, in every branch of them."""

import re
from pathlib import Path

import pytest

import server

TEMPLATES = Path(server.__file__).parent / "templates"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
POLLED = ("kiosks/table.html", "kiosks/state.html", "kiosks/waiting.html", "alarms/table.html", "alarms/told.html",
          "reports/now.html", "reports/communes.html", "reports/day.html")  # fmt: skip
"""Parts that a page fetches again by itself."""
TAG = re.compile(r"<(\w+)((?:[^<>{]|\{\{.*?\}\}|\{%.*?%\})*)>", re.DOTALL)


def tags(template: str) -> list[tuple[str, str]]:
    """The tags of a template, each with its attributes as they stand there."""
    return TAG.findall((TEMPLATES / template).read_text())


@pytest.mark.parametrize("template", ALL)
def test_what_scrolls_can_be_reached_by_keys_and_has_a_name(template: str):
    for _, given in tags(template):
        if re.search(r'class="(?:[^"]* )?scrolls?[" ]', given):
            assert all(each in given for each in ('role="region"', 'tabindex="0"', 'aria-label="')), given


@pytest.mark.parametrize("template", ALL)
def test_every_heading_of_a_table_says_what_it_heads(template: str):
    for name, given in tags(template):
        assert name != "th" or 'scope="' in given, given


@pytest.mark.parametrize("template", ALL)
def test_every_picture_says_what_it_shows(template: str):
    for name, given in tags(template):
        if name == "img" or 'role="img"' in given:
            assert re.search(r'(?:alt|aria-label)="\{\{', given), given


@pytest.mark.parametrize("template", POLLED)
def test_what_can_have_the_focus_keeps_it_when_the_page_follows(template: str):
    for name, given in tags(template):
        if name in ("a", "button", "select", "textarea", "summary") or "tabindex=" in given:
            assert re.search(r'\bid="', given), given


def test_every_part_that_is_fetched_again_is_looked_at():
    shown = "\n".join((TEMPLATES / each).read_text() for each in ALL)
    found = re.findall(r'hx-get=.*?>\s*(?:\{% include "?([\w/.]+)"? %\})', shown)
    # Today's page includes what its view names.
    assert {*found} - {"moving"} <= {*POLLED} and len(found) == shown.count("hx-get=")
