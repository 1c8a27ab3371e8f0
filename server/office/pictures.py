"""Photos that people upload: made small, kept by their hash, named in documents by it."""

import hashlib
import tempfile
import threading
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile

from kiosk import photos
from server.office.models import Blob

_one_at_a_time = threading.Lock()
"""`kiosk.photos` is made for one thread, and a large picture wants much memory."""


def keep(upload: "UploadedFile[bytes]") -> str:
    """Keep an uploaded picture; the name by which a document names it. Raises PhotoError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "upload")
        with path.open("wb") as file:
            for block in upload.chunks():
                file.write(block)
        with _one_at_a_time:
            small = Path(folder, photos.copy_in(path, Path(folder, "small")))
        content = Path(folder, "small", small.name).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    type = "image/png" if small.suffix == ".png" else "image/jpeg"
    Blob.objects.get_or_create(sha256=sha256, defaults={"content": content, "type": type})
    return f"{sha256}{small.suffix}"
