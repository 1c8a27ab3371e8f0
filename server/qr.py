"""QR codes for pages and prints."""

import qrcode
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.svg import SvgPathImage


def svg(text: str) -> Markup:
    """The text as a QR code (level M, with its quiet zone), as an SVG element for a page."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4, image_factory=SvgPathImage)
    code.add_data(text)
    code.make()
    # Nothing of the text is in it but dots.
    return Markup(code.make_image().to_string(encoding="unicode"))
