"""A browser without a window: the console's pages, forms and streams. Knows no page of the console.

It does what live.js does: forms go with the page's token and ask for JSON, a stream that ends is opened again after a
second. Every request is a connection of its own.
"""

import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

ANSWER_S = 10.0
SILENT_S = 11.0
"""A stream that says nothing for so long is lost: live.js says the same."""
AGAIN_S = 1.0
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Unreachable(OSError):
    """No answer: whether it was done only the page can tell."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str
    go: str


class Browser:
    """Cookies of one browser. One thread at a time may use it. With `trusted`, its pages and forms go by HTTPS."""

    def __init__(self, host: str, port: int, cookie: str = "", trusted: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = port
        self._cookies = dict(pair.split("=", 1) for pair in cookie.split("; ") if pair)
        self.trusted = trusted
        self.csrf = ""

    @property
    def cookie(self) -> str:
        """All that it was given, as it is sent back."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def get(self, path: str) -> Answer:
        """A page. Raises Unreachable."""
        answer = self._ask("GET", path, None, "text/html")
        found = _CSRF.search(answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer

    def send(self, path: str, **fields: str) -> Answer:
        """A form as a browser without our script sends it. Raises Unreachable."""
        return self._ask("POST", path, fields, "text/html")

    def act(self, path: str, **fields: str) -> dict[str, Any]:
        """A form as live.js sends it, with the token of the last page: `ok`, `say`, `go`. Raises Unreachable."""
        answer = self._ask("POST", path, {"csrf": self.csrf, **fields}, "application/json")
        try:
            result: dict[str, Any] = json.loads(answer.text)
        except ValueError as error:
            raise Unreachable(f"{path} answered {answer.status} without JSON") from error
        return result

    def _ask(self, method: str, path: str, fields: dict[str, str] | None, accept: str) -> Answer:
        connection = self._connection()
        try:
            body = None if fields is None else urlencode(fields).encode()
            connection.request(method, path, body, self._headers(accept, posts=fields is not None))
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{path}: {error}") from error
        finally:
            connection.close()
        for cookie in response.headers.get_all("set-cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return Answer(response.status, text, response.headers.get("location", ""))

    def _headers(self, accept: str, *, posts: bool) -> dict[str, str]:
        headers = {"Accept": accept, "Cookie": self.cookie, "Connection": "close"}
        if posts:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"{'https' if self.trusted else 'http'}://{self.host}:{self.port}"
        return headers

    def _connection(self) -> http.client.HTTPConnection:
        if self.trusted:
            return http.client.HTTPSConnection(self.host, self.port, timeout=ANSWER_S, context=self.trusted)
        return http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_S)

    def stream(self, path: str, changed: Callable[[], None] = lambda: None) -> "Stream":
        """A page that follows, with this browser's cookie."""
        return Stream(self.host, self.port, self.cookie, path, changed)


class Stream:
    """The newest fragment of each id of a stream, from its thread; `changed` is called there."""

    def __init__(self, host: str, port: int, cookie: str, path: str, changed: Callable[[], None]) -> None:
        self.path = path
        self.shown: dict[str, str] = {}
        self.fragments = 0
        self.connections = 0
        self.connected = False
        self.ended = False
        """The console said that this page is over."""
        self._address = (host, port)
        self._cookie = cookie
        self._changed = changed
        self._over = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"stream {path}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The page is closed."""
        self._over.set()
        if self._socket is not None:
            with suppress(OSError):  # closed by now
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set() and not self.ended:
            with suppress(OSError, http.client.HTTPException):  # the console is gone, or this page is
                for name, data in self._events():
                    self._take(name, data)
            self.connected = False
            if not self.ended:
                self._over.wait(AGAIN_S)

    def _events(self) -> Iterator[tuple[str, str]]:
        connection = http.client.HTTPConnection(*self._address, timeout=SILENT_S)
        try:
            connection.connect()
            self._socket = connection.sock
            connection.request("GET", self.path, headers={"Accept": "text/event-stream", "Cookie": self._cookie})
            response = connection.getresponse()
            if response.status != 200:
                return
            self.connected, self.connections = True, self.connections + 1
            yield from parsed(line.decode().rstrip("\r\n") for line in response)
        finally:
            connection.close()

    def _take(self, name: str, data: str) -> None:
        if name == "go":
            self.ended = True
        elif name == "fragment":
            id, _, html = data.partition("\n")
            self.shown = {**self.shown, id: html}
            self.fragments += 1
        else:
            return
        self._changed()


def parsed(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Server-sent events (WHATWG HTML, 9.2.6): name and data."""
    name, data = "message", []
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line:
            if data:
                yield name, "\n".join(data)
            name, data = "message", []
