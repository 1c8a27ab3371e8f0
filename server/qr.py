"""QR codes on pages, as SVG elements."""

import qrcode
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.image.svg import SvgPathImage


def svg(text: str) -> Markup:
    """The text as a QR code (level Q, with its quiet zone) for a page."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=4, image_factory=SvgPathImage)
    code.add_data(text)
    code.make()
    return Markup(code.make_image().to_string(encoding="unicode"))
