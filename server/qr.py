"""QR codes (level Q, with their quiet zone): an SVG element for a page, a picture for a file."""

import io
from itertools import groupby

import qrcode
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.image.pil import PilImage

DOTS = 4
"""A module of a picture: it is read from a sheet that was made smaller to fit on paper, too."""


def svg(text: str) -> Markup:
    """The text as a QR code for a page.

    Each row is one line of dashes: a square for each module weighs four times as much, and public pages weigh little.
    """
    rows = _code(text).get_matrix()
    side = len(rows)
    lines = "".join(f"M0 {y}.5{_dashes(row)}" for y, row in enumerate(rows))
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}mm" height="{side}mm" viewBox="0 0 {side} {side}">'
        f'<path stroke="#000" d="{lines}"/></svg>'
    )


def png(text: str) -> bytes:
    """The text as a QR code, as a PNG file."""
    file = io.BytesIO()
    _code(text).make_image(image_factory=PilImage).save(file)
    return file.getvalue()


def _code(text: str) -> "qrcode.QRCode[PilImage]":
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=4, box_size=DOTS, image_factory=PilImage)
    code.add_data(text)
    code.make()
    return code


def _dashes(row: list[bool]) -> str:
    runs = [(dark, len(list(run))) for dark, run in groupby(row)]
    return "".join(f"h{n}" if dark else f"m{n} 0" for dark, n in runs)
