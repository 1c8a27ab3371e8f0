"""The pages of documents for tests: their forms as a browser sends them, and what is kept of them."""

import html
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from kiosk.board_document import BoardDocument
from kiosk.office import Office
from server import clock
from server.office.documents import newest
from server.registry.models import Site
from tests.server.kit import NOW, Server


@pytest.fixture
def monday() -> Any:
    clock.follow(lambda: NOW)
    yield
    clock.follow(None)


def office_of(server: Server, site: Site | None = None) -> Office:
    found = newest(site or server.site, "office")
    assert found is not None
    return Office.from_json(bytes(found.content))


def board_of(server: Server) -> BoardDocument:
    found = newest(server.site, "board")
    assert found is not None
    return BoardDocument.from_json(bytes(found.content))


def at(server: Server, path: str = "", site: Site | None = None) -> str:
    return f"/documents/{(site or server.site).pk}{path}"


def fields(page: Any) -> dict[str, str]:
    """The fields of a page's last form, as a browser would send them unchanged."""
    text = page.content.decode()
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]+>", text):
        said = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if said.get("type") == "file" or (said.get("type") == "checkbox" and " checked" not in tag):
            continue
        if "name" in said and said["name"] != "csrfmiddlewaretoken":
            found[said["name"]] = html.unescape(said.get("value", ""))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        found[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    for name, inner in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        found[name] = html.unescape(inner.removeprefix("\n"))
    return found


def send(client: Client, path: str, **changes: Any) -> Any:
    """Open a form, change some fields, and send it."""
    return client.post(path, {**fields(client.get(path)), **changes})


def said(client: Client, server: Server) -> str:
    return re.findall(r'role="status"[^>]*>([^<]*)<', client.get(at(server)).content.decode())[-1]


def picture(kind: str = "JPEG", size: tuple[int, int] = (1600, 2000)) -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(data, kind)
    return SimpleUploadedFile(f"a.{kind.lower()}", data.getvalue(), "application/octet-stream")
