"""A mail server on loopback for tests: it takes mails and keeps them. It knows no TLS and no passwords."""

import socketserver
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Self, cast


@dataclass(frozen=True, slots=True)
class Mail:
    """What was sent, and to whom by the envelope."""

    to: list[str]
    subject: str
    text: str


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        office = cast("PostOffice", self.server)
        self.wfile.write(b"220 post office\r\n")
        to: list[str] = []
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                office.take(to, self._data())
                to = []
            elif word == b"RCPT":
                to.append(line.partition(b"<")[2].partition(b">")[0].decode())
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"451 later\r\n" if office.refuses and word == b"MAIL" else b"250 well\r\n")

    def _data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


class PostOffice(socketserver.ThreadingTCPServer):
    """`mails` are those that came; while `refuses`, none is taken."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.port = int(self.server_address[1])
        self.mails: list[Mail] = []
        self.refuses = False
        self._came = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.shutdown()
        self.server_close()

    def take(self, to: list[str], raw: bytes) -> None:
        """Keep a mail."""
        mail = cast(EmailMessage, message_from_bytes(raw, policy=policy.default))
        with self._came:
            self.mails.append(Mail(to, str(mail["Subject"]).strip(), mail.get_content()))
            self._came.notify_all()

    def wait(self, count: int) -> None:
        """Until so many mails have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.mails) >= count, 20)
