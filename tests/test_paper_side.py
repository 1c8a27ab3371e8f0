"""How the proofs with a virtual machine read what is on paper: a slip's code, and its mark of a second print."""

from dataclasses import replace

import pytest

from kiosk.raster import encode
from kiosk.slip import SlipContent, render
from tests.appliance.printer import OnPaper, on_paper
from tests.printing import slip, url, worst

RESET, CUT = b"\x1b@", b"\x1dVB\x00"
NUMBER = "1012"
TOKEN = url(NUMBER).rpartition("/")[2]


def sent(content: SlipContent) -> bytes:
    """A slip as the printer gets it."""
    return RESET + b"".join(encode(render(content), 100, False)) + CUT


@pytest.mark.parametrize("content", [slip(NUMBER), worst(NUMBER)], ids=["usual", "longest"])
def test_a_second_print_is_known_by_its_mark_whatever_size_its_letters_have(content: SlipContent) -> None:
    first, again = replace(content, reprint=""), replace(content, reprint="IN LẠI")
    assert on_paper(sent(first) + sent(again)) == [OnPaper(TOKEN, True, False), OnPaper(TOKEN, True, True)]


def test_a_slip_that_was_cut_through_is_on_paper_and_not_whole() -> None:
    whole, rest = sent(slip(NUMBER)), sent(slip("1013"))[:20_000]
    assert on_paper(whole + rest) == [OnPaper(TOKEN, True, False), OnPaper("", False, False)]
