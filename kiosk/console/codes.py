"""QR codes of posters as SVG, as a process of its own (`apart`): the library takes 5 MB, and posters are rare."""

import sys

import qrcode
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.image.svg import SvgPathImage

from kiosk.console.apart import answer


def qr_svg(text: str) -> str:
    """The text as a QR code (level Q, with its quiet zone), as an SVG element."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=4, image_factory=SvgPathImage)
    code.add_data(text)
    code.make()
    return str(code.make_image().to_string(encoding="unicode"))


if __name__ == "__main__":
    sys.exit(answer(qr_svg))
