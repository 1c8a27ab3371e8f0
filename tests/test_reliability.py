"""docs/reliability.md names the tests that hold its promises."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PROMISES = (TESTS.parent / "docs" / "reliability.md").read_text()


def test_each_test_that_a_promise_names_is_there():
    named = set(re.findall(r"`((?:(?:server|appliance)/)?test_\w+)`", PROMISES))
    assert len(named) > 10
    assert {name for name in named if not (TESTS / f"{name}.py").is_file()} == set()


def test_no_promise_stands_without_a_test():
    rows = [line.split("|") for line in PROMISES.partition("## The promises")[2].partition("\n## ")[0].splitlines()]
    promises = [row for row in rows if len(row) == 5][2:]
    assert len(promises) > 10
    assert [row[1] for row in promises if "`test_" not in row[2] and "/test_" not in row[2]] == []
