"""What the printing tests share: a queue of slips, a slip to print, and a printer thread on an emulated printer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import zxingcpp
from PIL import Image

from kiosk import column, fonts, typeset
from kiosk import slip as paper
from kiosk.printer import (
    Job,
    JobDone,
    JobFailed,
    Printer,
    PrinterProfile,
    PrinterState,
    PrinterThread,
    open_transport,
)
from kiosk.simulator.printer import EmulatedPrinter, Slip
from kiosk.slip import SlipContent

LONG_OFFICE = "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG XÃ CHÂN MÂY - LĂNG CÔ"
AT = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)
# Deadlines and paper times short enough for tests.
QUICK = PrinterProfile(mm_per_s=10_000, cut_s=0.02, deadline_s=1.5, answer_s=0.6)


def url(number: str) -> str:
    return f"HTTPS://MOTCUA.XAMAU.GOV.VN/T/{number.rjust(16, '0')}"


def slip(number: str = "1012", **changes: object) -> SlipContent:
    content = SlipContent(
        number=number,
        service="Hộ tịch",
        header=("ỦY BAN NHÂN DÂN XÃ MẪU", "Trung tâm Phục vụ hành chính công"),
        title="PHIẾU SỐ THỨ TỰ",
        place="Quầy 1, 2 · Buổi sáng",
        ahead="Số người chờ trước: 5",
        wait="chờ khoảng 10–20 phút",
        papers="Giấy tờ cần có: CCCD, giấy chứng sinh",
        keep="Vui lòng giữ phiếu và chờ gọi số. Xin cảm ơn!",
        qr_url=url(number),
        qr_caption="Quét mã để xem lượt chờ và đánh giá mức độ hài lòng",
        time="Giờ lấy số: 08:42 ngày 23/11/2026",
        hotline="Đường dây nóng: 0234 3456 789",
        not_receipt="Phiếu này không thay Giấy tiếp nhận hồ sơ và hẹn trả kết quả",
    )
    return replace(content, **changes)  # type: ignore[arg-type]


def worst(number: str = "40125") -> SlipContent:
    """Every line used, every name long."""
    return slip(
        number,
        header=("ỦY BAN NHÂN DÂN XÃ CHÂN MÂY - LĂNG CÔ", LONG_OFFICE),
        service="Bảo trợ xã hội – Người có công",
        priority="ƯU TIÊN",
        reprint="IN LẠI",
        place="Quầy 1, 2, 3, 4, 5, 6, 7, 8 · Buổi chiều",
        papers="Giấy tờ cần có: căn cước công dân, giấy chứng nhận quyền sử dụng đất, tờ khai theo mẫu, ảnh 4×6",
        second=("Social welfare · Counters 1–8", "5 people ahead · about 10–20 minutes"),
    )


@dataclass
class ListSpool:
    """The print queue without a database: real rules, nothing durable."""

    waiting: list[Job] = field(default_factory=list)
    sending: Job | None = None
    finished: list[Job] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, payload: object) -> None:
        with self.lock:
            number = 1 + len(self.waiting) + len(self.finished) + len(self.failed) + (self.sending is not None)
            self.waiting.append(Job(number, payload))

    def recover(self) -> int:
        with self.lock:
            return self._back(reprint=True) if self.sending else 0

    def claim(self, now: datetime) -> Job | None:
        with self.lock:
            self.sending = self.waiting.pop(0) if self.waiting else None
            return self.sending

    def done(self, job: Job) -> None:
        with self.lock:
            self.sending = None
            self.finished.append(job)

    def retry(self, job: Job, why: str) -> None:
        with self.lock:
            self._back(reprint=True)

    def release(self, job: Job, why: str) -> None:
        with self.lock:
            self._back(reprint=job.reprint)

    def fail(self, job: Job, why: str) -> None:
        with self.lock:
            self.sending = None
            self.failed.append(job)

    def _back(self, reprint: bool) -> int:
        assert self.sending is not None
        self.waiting.insert(0, replace(self.sending, reprint=reprint))
        self.sending = None
        return 1


class Reports:
    """What the printer thread reported, and waiting for it."""

    def __init__(self) -> None:
        self.all: list[PrinterState | JobDone | JobFailed] = []
        self._more = threading.Condition()

    def __call__(self, report: PrinterState | JobDone | JobFailed) -> None:
        with self._more:
            self.all.append(report)
            self._more.notify_all()

    @property
    def states(self) -> list[PrinterState]:
        return [report for report in self.all if isinstance(report, PrinterState)]

    @property
    def done(self) -> list[JobDone]:
        return [report for report in self.all if isinstance(report, JobDone)]

    @property
    def failed(self) -> list[JobFailed]:
        return [report for report in self.all if isinstance(report, JobFailed)]

    def wait(self, until: Callable[[], bool], timeout_s: float = 10.0) -> None:
        with self._more:
            assert self._more.wait_for(until, timeout_s), f"not in {timeout_s} s: {self.all}"

    def wait_state(self, state: PrinterState) -> None:
        self.wait(lambda: bool(self.states) and self.states[-1] is state)


@dataclass
class Desk:
    """A kiosk's printing side: spool, thread, reports."""

    spool: ListSpool
    thread: PrinterThread
    reports: Reports

    def press(self, number: str) -> None:
        self.spool.add(slip(number))
        self.thread.poke()

    def wait_done(self, count: int) -> None:
        self.reports.wait(lambda: len(self.reports.done) >= count)


def draw(width: int) -> Callable[[Job], Image.Image]:
    def drawn(job: Job) -> Image.Image:
        assert isinstance(job.payload, SlipContent)
        return paper.render(replace(job.payload, reprint="IN LẠI" if job.reprint else ""), width)

    return drawn


@contextmanager
def desk(
    address: str,
    profile: PrinterProfile = QUICK,
    spool: ListSpool | None = None,
    render: Callable[[Job], Image.Image] | None = None,
) -> Iterator[Desk]:
    spool, reports = spool or ListSpool(), Reports()
    printer = Printer(lambda: open_transport(address, profile), profile)
    picture = render or draw(profile.width)
    thread = PrinterThread(printer, spool, picture, reports, lambda: AT, poll_s=0.2, retry_s=0.05)
    thread.start()
    try:
        yield Desk(spool, thread, reports)
    finally:
        assert thread.close(), "the printer thread must end"


@contextmanager
def emulator(kind: str, folder: Path, **options: object) -> Iterator[tuple[EmulatedPrinter, str]]:
    """An emulated printer and its address: kind is tcp, serial or file."""
    printer = EmulatedPrinter(**options)  # type: ignore[arg-type]
    try:
        if kind == "tcp":
            yield printer, "tcp://{}:{}".format(*printer.listen())
        else:
            yield printer, f"{kind}:{printer.open_pty(folder / 'printer')}"
    finally:
        printer.close()


def forget_letters() -> None:
    """Empty all that was drawn with the fonts of before."""
    for module in (fonts, typeset, column, paper):
        for thing in vars(module).values():
            if hasattr(thing, "cache_clear"):
                thing.cache_clear()


def read_qr(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image.convert("L"))]


def numbers(slips: list[Slip]) -> list[str]:
    """The numbers on slips, read from their QR codes; "" where none can be read."""
    return ["".join(code.rpartition("/")[2].lstrip("0") for code in read_qr(printed.image)) for printed in slips]


def same(printed: Image.Image, drawn: Image.Image, tolerance: float = 0.001) -> bool:
    """Whether two pictures agree but for white at the end and a few dots."""
    if printed.width != drawn.width or printed.height < drawn.height:
        return False
    whole = Image.new("1", printed.size, 1)
    whole.paste(drawn)
    wrong = sum((a ^ b).bit_count() for a, b in zip(printed.tobytes(), whole.tobytes(), strict=True))
    return wrong <= tolerance * drawn.width * drawn.height
