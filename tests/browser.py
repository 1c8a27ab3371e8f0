"""Debian's Chromium for tests of the pages, and a page's own complaints as failures.

A context fails its test when a page writes an error to the console, breaks the content security policy, throws, or asks
another host for anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

CHROMIUM = "/usr/bin/chromium"
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => {
  window.violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; contexts are cheap."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A context whose pages may complain of nothing; `complaints` may be emptied where a test expects some."""

    def __init__(self, context: BrowserContext, own: str) -> None:
        self.context = context
        self.own = urlsplit(own).netloc
        self.complaints: list[str] = []

    def page(self, address: str = "") -> Page:
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

    def check(self) -> None:
        """Raise what the pages complained of."""
        for page in self.context.pages:
            self.complaints += page.evaluate("() => window.violations || []")
        assert not self.complaints, self.complaints

    def _is_own(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.netloc != self.own:
            self.complaints.append(f"another host is asked: {request.url}")


@contextmanager
def watched(browser: Browser, own: str, size: tuple[int, int] = (1366, 768), **how: Any) -> Iterator[Watched]:
    """A context of this viewport for pages of the address `own`; `how` is what Playwright's contexts take."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **{"locale": "vi-VN", **how})
    try:
        seen = Watched(context, own)
        yield seen
        seen.check()
    finally:
        context.close()
