"""Debian's Chromium for tests of the pages, and a page's own complaints as failures.

A context fails its test when a page writes an error to the console, breaks the content security policy, throws, or asks
another host for anything.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.printing import read_qr

if TYPE_CHECKING:
    from http.cookiejar import Cookie

    from playwright.sync_api import Browser, BrowserContext, Page, Request

CHROMIUM = "/usr/bin/chromium"
PHONE = (390, 844)
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => {
  window.violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """One browser for all tests; contexts are cheap. (Two Playwrights in one thread do not start.)"""
    # Imported here: most test runs need no browser.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A context whose pages may complain of nothing; `complaints` may be emptied where a test expects some."""

    def __init__(self, context: "BrowserContext", own: str) -> None:
        self.context = context
        self.own = urlsplit(own).netloc
        self._url = own
        self.complaints: list[str] = []

    def page(self, address: str = "") -> "Page":
        """A new page; it has loaded the address, with its fonts."""
        page = self.context.new_page()
        page.add_init_script(VIOLATIONS)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._is_own)
        if address:
            page.goto(address)
            page.evaluate("() => document.fonts.ready.then(() => true)")
        return page

    def use_cookies(self, cookies: "Iterable[Cookie]") -> None:
        """Be whoever has these cookies: `hall.browser(person).session.cookies`."""
        given = [(cookie.name, cookie.value or "") for cookie in cookies]
        self.context.add_cookies([{"name": name, "value": value, "url": self._url} for name, value in given])

    def check(self) -> None:
        """Raise what the pages complained of."""
        for page in self.context.pages:
            self.complaints += page.evaluate("() => window.violations || []")
        assert not self.complaints, self.complaints

    def _is_own(self, request: "Request") -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.netloc != self.own:
            self.complaints.append(f"another host is asked: {request.url}")


MEASURE = """
() => {
  const pen = document.createElement("canvas").getContext("2d"), found = [], problems = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim(), parent = node.parentElement, range = document.createRange();
    if (!text || parent.closest("svg, script, option, datalist")) continue;
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter(line => line.width && line.height);
    const style = getComputedStyle(parent);
    if (!lines.length || style.visibility === "hidden") continue;
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const ink = pen.measureText(text), first = lines[0], last = lines[lines.length - 1];
    found.push({
      text, node: parent, size: parseFloat(style.fontSize),
      left: Math.min(...lines.map(line => line.left)), right: Math.max(...lines.map(line => line.right)),
      top: first.top + ink.fontBoundingBoxAscent - ink.actualBoundingBoxAscent,
      bottom: last.top + ink.fontBoundingBoxAscent + ink.actualBoundingBoxDescent,
    });
  }
  const cut = (one, box) =>
    one.left < box.left - 1 || one.right > box.right + 1 || one.top < box.top - 1 || one.bottom > box.bottom + 1;
  for (const one of found) {
    if (cut(one, { left: 0, top: 0, right: innerWidth, bottom: innerHeight }))
      problems.push(`off the screen: ${one.text}`);
    for (let room = one.node; room && room !== document.body; room = room.parentElement)
      if (getComputedStyle(room).overflow !== "visible" && cut(one, room.getBoundingClientRect()))
        problems.push(`cut by ${room.className}: ${one.text}`);
    for (const other of found)
      if (other !== one && one.left < other.right - 1 && other.left < one.right - 1
        && one.top < other.bottom - 1 && other.top < one.bottom - 1 && one.text <= other.text)
        problems.push(`one over the other: ${one.text} / ${other.text}`);
  }
  return { problems, smallest: Math.min(...found.map(one => one.size)), texts: found.length };
}
"""


def measured(page: "Page") -> dict[str, Any]:
    """How the texts of a page that does not scroll lie, by the ink of their letters: `problems` as sentences (cut,
    off the screen, one over the other), the `smallest` size in pixels, and how many `texts` there are.
    """
    found: dict[str, Any] = page.evaluate(MEASURE)
    return found


CRAMPED = """
() => [...document.querySelectorAll("main :is(input, select, textarea):not([type=hidden])")].filter(field => {
  const box = field.getBoundingClientRect(), least = field.type === "checkbox" ? 1 : 44;
  const seen = [...field.labels].some(label => label.getBoundingClientRect().width > 1);
  return !seen || box.width < least || box.left < 0 || box.right > innerWidth;
}).map(field => field.name)
"""


def cramped(page: "Page") -> list[str]:
    """The names of fields that no label is seen with, that are too narrow to touch (44 px), or not on the screen."""
    found: list[str] = page.evaluate(CRAMPED)
    return found


BARE = """
() => [...document.querySelectorAll(".stack tbody td")].filter(cell => {
  const label = cell.querySelector(".narrow-only");
  return cell.innerText.trim() && !cell.querySelector("form") && !(label && label.getBoundingClientRect().width > 1);
}).map(cell => cell.innerText)
"""


def bare(page: "Page") -> list[str]:
    """Values of stacked lists that no label is seen with, on a page as wide as a PHONE."""
    found: list[str] = page.evaluate(BARE)
    return found


@contextmanager
def watched(browser: "Browser", own: str, size: tuple[int, int] = (1366, 768), **how: Any) -> Iterator[Watched]:
    """A context of this viewport for pages of the address `own`; `how` is what Playwright's contexts take."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **{"locale": "vi-VN", **how})
    try:
        seen = Watched(context, own)
        yield seen
        seen.check()
    finally:
        context.close()


def code_on(page: "Page") -> str:
    """What the QR code on a page says, read from what the screen shows."""
    (found,) = read_qr(Image.open(BytesIO(page.locator(".symbol svg").screenshot())))
    return found
