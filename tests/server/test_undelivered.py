"""Why a message could not be sent is said in the reader's words."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from smtplib import SMTPAuthenticationError, SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.test import override_settings
from markupsafe import escape

from server.watch import problems, telling, webhook
from server.watch.models import Edge, Notice, Target, Way
from server.words import texts
from tests.server.kit import NOW, Server
from tests.server.smtp import PostOffice
from tests.server.test_webhook import LOOPBACK, Receiver, allowing
from tests.server.watch_kit import post_office
from tests.sync_net import http
from tests.test_sync_tls import certificate

assert certificate
assert post_office


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a machine that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def closed() -> int:
    """A port on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def told(server: Server, way: Way, url: str = "") -> str:
    """What is kept of a trial message's failure."""
    Target.objects.create(unit=server.unit, mails="lanh-dao@xa-mau.example", url=url)
    Notice.objects.create(unit=server.unit, way=way, edge=Edge.TEST, made=NOW, due=NOW)
    telling.tell_next(NOW)
    return str(Notice.objects.get().problem)


def mailed(server: Server, host: str = "127.0.0.1", port: int = 25) -> str:
    with override_settings(EMAIL_HOST=host, EMAIL_PORT=port, EMAIL_USE_TLS=False, EMAIL_TIMEOUT=0.3):
        return told(server, Way.MAIL)


def posted(server: Server, port: int, chain: Path | None = None) -> str:
    with allowing(chain, *LOOPBACK):
        return told(
            server, Way.WEBHOOK, f"https://127.0.0.1:{port}/" if chain is None else f"https://localhost:{port}/"
        )


def nobody_knows(*asked: object, **more: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def key(problem: str) -> str:
    return problem.partition(": ")[0]


def test_mails_without_a_mail_server(lite: Server):
    assert key(mailed(lite, host="")) == "no_mail_server"


@pytest.mark.parametrize("way", [Way.MAIL, Way.WEBHOOK])
def test_a_name_that_is_not_found(lite: Server, monkeypatch: pytest.MonkeyPatch, way: Way):
    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)
    problem = mailed(lite, "thu.example") if way == Way.MAIL else told(lite, way, "https://tin.example/")
    assert key(problem) == "unknown_name"


@pytest.mark.parametrize("way", [Way.MAIL, Way.WEBHOOK])
def test_a_machine_that_takes_no_connection(lite: Server, closed: int, way: Way):
    assert key(mailed(lite, port=closed) if way == Way.MAIL else posted(lite, closed)) == "refused"


@pytest.mark.parametrize("way", [Way.MAIL, Way.WEBHOOK])
def test_a_machine_that_does_not_answer(lite: Server, silent: int, monkeypatch: pytest.MonkeyPatch, way: Way):
    monkeypatch.setattr(webhook, "BOUNDS", replace(webhook.BOUNDS, connect_s=0.3, read_s=0.3))
    assert key(mailed(lite, port=silent) if way == Way.MAIL else posted(lite, silent)) == "timeout"


def test_a_certificate_that_is_not_believed(lite: Server, certificate: Path):
    with Receiver(certificate, http(204, b"")) as receiver:
        assert key(posted(lite, receiver.port)) == "certificate"


@pytest.mark.parametrize(("status", "problem"), [(500, "http: 500"), (308, "redirect: 308")])
def test_an_answer_that_is_no_yes_is_kept_by_its_status(lite: Server, certificate: Path, status: int, problem: str):
    with Receiver(certificate, http(status, b"")) as receiver:
        assert posted(lite, receiver.port, certificate) == problem


def test_a_mail_that_the_mail_server_does_not_take(lite: Server, post_office: PostOffice):
    post_office.refuses = True
    assert key(mailed(lite, port=post_office.port)) == "smtp"
    assert key(problems.kept(SMTPRecipientsRefused({}))) == "smtp"
    assert key(problems.kept(SMTPAuthenticationError(535, b"no"))) == "password"


SAID = {
    "nobody": ("Không còn ai để gửi", ""),
    "certificate: SSLCertVerificationError: unknown CA": (
        "Không tin được chứng thư của máy ở địa chỉ này", "SSLCertVerificationError: unknown CA",
    ),
    "http: 503": ("Nơi nhận trả lời bằng mã HTTP 503", ""),
    "Refused: HTTP 500": ("Lý do khác: Refused: HTTP 500", ""),
    "there is nobody to tell any more": ("Lý do khác: there is nobody to tell any more", ""),
}  # fmt: skip
"""What is kept, the last two by a release before, and what the page says of it."""


@pytest.mark.parametrize("problem", SAID)
def test_the_page_says_it_in_words_and_of_the_rest_what_the_program_said(lite: Server, problem: str):
    Target.objects.create(unit=lite.unit, mails="lanh-dao@xa-mau.example")
    Notice.objects.create(unit=lite.unit, way=Way.MAIL, edge=Edge.TEST, made=NOW, problem=problem)
    browser = lite.signed_in("quan-tri", "admin")
    words, detail = SAID[problem]
    page = browser.get("/alarms/target/told").content.decode()
    assert f"<br>{escape(words)}" in page
    assert f'<small lang="en">{escape(detail)}</small>' in page or not detail
    english = problems.said(problem, texts("en"))[0]
    assert english != words
    assert str(escape(english)) in browser.get("/alarms/target?l=en").content.decode()


def test_whatever_else_fails_is_kept_as_the_program_says_it():
    assert problems.kept(SMTPServerDisconnected("please run connect() first")) == (
        "SMTPServerDisconnected: please run connect() first"
    )
    assert len(problems.kept(OSError("x" * 500))) == problems.LETTERS


def test_every_cause_has_its_sentence():
    for language in ("vi", "en"):
        t = texts(language)
        assert all(f"undelivered.{key}" in t for _, key in problems.KEYS)
