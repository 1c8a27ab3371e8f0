"""The page on which events from a USB stick are handed in."""

import base64
from typing import BinaryIO, cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from server import clock
from server.accounts import access
from server.accounts.access import for_roles, person
from server.accounts.roles import KEEPERS
from server.feed.files import Files, outcome, taken_in
from server.pages import page
from sync.export import ack_name
from sync.importing import acknowledgements, import_file


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS, whole=False)
def from_stick(request: HttpRequest) -> HttpResponse:
    """Files that `kiosk export` wrote, in any order; what became of each, and what to save onto the stick."""
    if request.method == "GET":
        return page(request, "import.html", files=None, acks={}, problem="")
    now = clock.now()
    uploads = request.FILES.getlist("files")
    if not uploads:
        return page(request, "import.html", 400, files=None, acks={}, problem="import.none")
    intake = Files(now, person(request).unit)
    # By name: the files of a kiosk's events sort by number, those of words come after them.
    files = [
        import_file(intake, upload.name or "", cast(BinaryIO, upload.file), now)
        for upload in sorted(uploads, key=lambda upload: upload.name or "")
    ]
    for unit, about in taken_in(files):
        access.note(request, "feed.imported", about, unit)
    acks = {ack_name(device): _as_link(ack) for device, ack in acknowledgements(files, now).items()}
    return page(request, "import.html", files=files, acks=acks, problem="", outcome=outcome)


def _as_link(ack: bytes) -> str:
    """The file itself in the link: it is made once, and is nobody else's business."""
    return f"data:application/json;base64,{base64.b64encode(ack).decode()}"
