"""Sample data for every view, with the longest real names, for tests and for the pictures of the documentation."""

import sys
from dataclasses import replace
from pathlib import Path

import pygame
from PIL import Image

from kiosk.views.canvas import Frame, Kit
from kiosk.views.draw import regions
from kiosk.views.model import (
    STAFF_ICONS,
    BoardView,
    Called,
    CounterCard,
    CounterState,
    Face,
    FaceKind,
    Header,
    IdleView,
    LanguageKey,
    Notice,
    Portrait,
    PriorityBar,
    ProgressPanel,
    ProgressRow,
    RateView,
    SatisfactionCount,
    SatisfactionPanel,
    StartCheck,
    StartView,
    TakeView,
    Tile,
    View,
)
from kiosk.views.theme import DAY, THEMES

LONG_UNIT = "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG XÃ CHÂN MÂY - LĂNG CÔ"
LONG_CLERK = "Nguyễn Hoàng Thị Phương Khánh"
DATE = "Thứ Hai, 23/11/2026"

TAKE_HEADER = Header("UBND XÃ MẪU", "Mời Ông/Bà chạm việc cần làm để lấy số", DATE, "09:41")
BOARD_HEADER = Header("UBND XÃ MẪU", "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG", DATE, "09:41")
RATE_HEADER = Header("UBND XÃ MẪU", "Đánh giá sự phục vụ", DATE, "09:41")

TILES = (
    Tile("1", "1", "Hộ tịch", "Khai sinh, kết hôn, khai tử", "people", "blue", "4 người chờ • 12–17 phút"),
    Tile("2", "2", "Chứng thực", "Bản sao, chữ ký, hợp đồng", "stamp", "purple", "Không phải chờ"),
    Tile("3", "3", "Đất đai – Xây dựng", "Giấy chứng nhận, cấp phép", "house", "green", "6 người chờ • 25–30 phút"),
    Tile("4", "4", "Bảo trợ xã hội – Người có công", "Trợ cấp, chính sách", "heart", "red", "2 người chờ • 8–13 phút"),
    Tile("5", "5", "Trả kết quả", "Nhận hồ sơ theo giấy hẹn", "document", "orange", "1 người chờ • 3–8 phút"),
    Tile("6", "6", "Hướng dẫn, việc khác", "Dịch vụ công trực tuyến, VNeID", "question", "slate", "Không phải chờ"),
)
LONG_TILES = (
    *TILES[:2],
    replace(
        TILES[2], name="Đất đai – Xây dựng – Môi trường", hint="Giấy chứng nhận, cấp phép, chuyển mục đích sử dụng"
    ),
    replace(TILES[3], waiting_text="10.234 người chờ • 120–150 phút"),
    replace(TILES[4], available=False, note="Đã nhận đủ số buổi sáng, mời quay lại lúc 13:30"),
    TILES[5],
    Tile("7", "7", "Tiếp công dân", "Lịch tiếp của lãnh đạo ủy ban", "speech", "teal", "Không phải chờ"),
    Tile("8", "8", "Thuế – Phí – Lệ phí", "Nộp tiền, lấy biên lai", "coin", "pink", "12 người chờ • 45–60 phút"),
)
WHO = "Dành cho: người cao tuổi, người khuyết tật, phụ nữ mang thai, người đi cùng trẻ nhỏ, người có công với cách mạng"
PRIORITY = PriorityBar("priority", "Lấy số ưu tiên", WHO, "CHỌN ƯU TIÊN", digit="ƯT")
CHOSEN = PriorityBar(
    "cancel", "Đã chọn ưu tiên. Mời Ông/Bà chọn việc cần làm", "", "HỦY ƯU TIÊN", chosen=True, digit="ƯT"
)
HOTLINE = "Đường dây nóng tiếp nhận phản ánh, kiến nghị: (số của đơn vị)"
QR = "HTTPS://MOTCUA.XA-MAU.EXAMPLE/T/0123456789ABCDEF"

SLIP = Notice(
    "slip",
    "Số của Ông/Bà",
    "1013",
    ("Hộ tịch", "Phía trước còn 4 người • chờ khoảng 10–15 phút", "Xin ngồi chờ, màn hình và loa sẽ gọi số"),
    tone="ok",
    pill="Mời nhận phiếu ở khe bên dưới",
)
LONG_SLIP = replace(
    SLIP,
    title="Số ưu tiên của Ông/Bà",
    number="40123",
    mark="ƯU TIÊN",
    lines=("Bảo trợ xã hội – Người có công", "Phía trước còn 10.234 người • chờ khoảng 120–150 phút", SLIP.lines[2]),
)
GLASS = Notice(
    "glass",
    "Máy in hết giấy. Số của Ông/Bà là",
    "40123",
    ("Bảo trợ xã hội – Người có công", "Phía trước còn 4 người", "Xin ghi nhớ số hoặc chụp lại màn hình này"),
    qr_url=QR,
    qr_text="Quét mã để xem lượt chờ",
    tone="warn",
)
CLOSED = Notice("closed", "Chưa đến giờ lấy số. Giờ lấy số: 07:30 – 11:00", tone="info")
QUOTA = Notice(
    "quota",
    "Xin lỗi Ông/Bà, Bảo trợ xã hội – Người có công đã nhận đủ số buổi Sáng. "
    "Xin gặp bàn hướng dẫn hoặc quay lại lúc 13:30, Thứ Hai, 23/11/2026",
    tone="warn",
    pill="Cần giúp đỡ, xin gặp bàn hướng dẫn",
)
HOLIDAY = Notice(
    "holiday",
    "Hôm nay đơn vị nghỉ: Ngày Văn hóa Việt Nam",
    lines=("Làm việc lại lúc 07:30, Thứ Tư, 25/11/2026",),
    tone="error",
)
TOO_FAST = Notice("too_fast", "Phiếu đang in. Người tiếp theo xin chờ vài giây", tone="info")

LANGUAGE = LanguageKey("language", "English", "VI/EN")
TAKE = TakeView(TAKE_HEADER, "touch", TILES, PRIORITY, language=LANGUAGE)
PRESS = "Mời Ông/Bà bấm phím trên bảng phím bên dưới màn hình"
LONG_TAKE = TakeView(
    Header(LONG_UNIT, TAKE_HEADER.title, DATE, "23:58", lost="Mất kết nối với máy chủ xã. Số liệu có thể đã cũ"),
    "touch",
    LONG_TILES,
    PRIORITY,
    None,
    HOTLINE,
    "THÔNG BÁO",
    ("offline", "paper_low"),
    replace(LANGUAGE, text="Tiếng Việt"),
)
KEYS = replace(
    TAKE, mode="keys", panel=PRESS, header=replace(TAKE_HEADER, title="Mời Ông/Bà bấm phím theo việc cần làm để lấy số")
)


def notice_view(notice: Notice, title: str = "Lấy số thành công") -> TakeView:
    """The take view with a message in place of its tiles."""
    return replace(TAKE, header=replace(TAKE_HEADER, title=title), notice=notice)


CARDS = (
    CounterCard(
        "QUẦY 1", "Hộ tịch", "1012", "serving", "Đang phục vụ", "Nguyễn Thị A", Portrait(variant=0), "4", "đang chờ"
    ),
    CounterCard(
        "QUẦY 2",
        "Đất đai – Xây dựng",
        "3007",
        "called",
        "Mời đến quầy",
        "Trần Văn B",
        Portrait(variant=1),
        "6",
        "đang chờ",
        True,
    ),
    CounterCard(
        "QUẦY 3",
        "Bảo trợ xã hội – Người có công",
        "4015",
        "serving",
        "Đang phục vụ",
        "Lê Thị C",
        Portrait(variant=2),
        "2",
        "đang chờ",
    ),
    CounterCard(
        "QUẦY 4",
        "Chứng thực – Trả kết quả",
        "",
        "paused",
        "Phục vụ lại lúc 10:00",
        "Phạm Văn D",
        Portrait(variant=3),
        "0",
        "đang chờ",
        plate="Tạm dừng",
    ),
)
CALLED = (
    Called("3007", "Quầy 2", "09:41", True),
    Called("1012", "Quầy 1", "09:38"),
    Called("4015", "Quầy 3", "09:36"),
    Called("3006", "Quầy 2", "09:29"),
    Called("2021", "Quầy 4", "09:25"),
)
OPEN_LINE = "Đang giải quyết: 412 (Trong hạn 409 · Quá hạn 3)"
PROGRESS = ProgressPanel(
    "HỒ SƠ ĐÃ GIẢI QUYẾT",
    (
        ProgressRow("Trước hạn", "2.530", 0.939, "early"),
        ProgressRow("Đúng hạn", "165", 0.061, "on_time"),
        ProgressRow("Quá hạn", "0", 0.0, "late"),
    ),
    "100,0 %",
    "Số liệu đến 17:00 ngày 20/11/2026",
    total="2.695",
    open_line=OPEN_LINE,
)
SATISFACTION = SatisfactionPanel(
    "HÀI LÒNG THÁNG 10",
    "92,0 %",
    (
        SatisfactionCount("happy", "460", 0.92),
        SatisfactionCount("neutral", "31", 0.062),
        SatisfactionCount("unhappy", "9", 0.018),
    ),
    "460/500 lượt đánh giá hài lòng; 42,4 % lượt giao dịch có đánh giá",
)
BOARD = BoardView(
    BOARD_HEADER,
    CARDS,
    CALLED,
    "SỐ ĐÃ GỌI",
    ("3004", "1009"),
    "SỐ ĐÃ QUÁ LƯỢT",
    PROGRESS,
    SATISFACTION,
    HOTLINE,
    "THÔNG BÁO",
)


def board(counters: int, long: bool = False) -> BoardView:
    """A board with so many counters; `long` with five digits, long names and a lost source."""
    cards: list[CounterCard] = []
    states: tuple[CounterState, ...] = ("serving", "serving", "free", "paused", "serving", "closed")
    for i in range(counters):
        card = replace(CARDS[i % 4], counter_label=f"QUẦY {i + 1}", portrait=Portrait(variant=i))
        if not CARDS[i % 4].highlighted:
            card = _stated(card, states[i % 6], i)
        if long and card.number:
            card = replace(card, number=f"{40000 + i * 4044}", waiting="10.234", clerk=LONG_CLERK)
        cards.append(replace(card, highlighted=i == 1))
    view = replace(BOARD, cards=tuple(cards))
    if not long:
        return view
    called = tuple(replace(c, number=f"4{c.number}") for c in CALLED)
    header = Header(LONG_UNIT, LONG_UNIT, DATE, "23:58", "Mất kết nối với máy chủ xã. Số liệu có thể đã cũ")
    progress = replace(PROGRESS, stale=True, total="112.695", open_line=OPEN_LINE.replace("412", "12.412"))
    return replace(
        view, header=header, called=called, missed=("40123", "10099", "30044", "20100", "50001"), progress=progress
    )


def _stated(card: CounterCard, state: CounterState, i: int) -> CounterCard:
    words = {"serving": "Đang phục vụ", "free": "Sẵn sàng", "paused": "Phục vụ lại lúc 10:00", "closed": ""}
    plates = {"serving": "", "free": "Chưa có số", "paused": "Tạm dừng", "closed": "Quầy đóng"}
    number = f"{i % 6 + 1}0{i + 10}" if state == "serving" else ""
    return replace(card, state=state, state_text=words[state], plate=plates[state], number=number)


def _face(level: int, kind: FaceKind, label: str) -> Face:
    return Face(f"rate {level}", level, kind, label)


SMILES = (_face(3, "happy", "Hài lòng"), _face(2, "neutral", "Bình thường"), _face(1, "unhappy", "Không hài lòng"))
FIVE = (
    _face(5, "very_happy", "Rất hài lòng"),
    _face(4, "happy", "Hài lòng"),
    _face(3, "neutral", "Bình thường"),
    _face(2, "unhappy", "Không hài lòng"),
    _face(1, "very_unhappy", "Rất không hài lòng"),
)
RATE = RateView(
    RATE_HEADER,
    "Nguyễn Thị A",
    "Công chức Tư pháp – Hộ tịch",
    "Quầy 1 – Hộ tịch",
    Portrait(variant=0),
    "Phiếu số",
    "1012",
    "Ông/Bà có hài lòng với việc phục vụ vừa rồi không?",
    SMILES,
    "ask",
    privacy="Máy không lưu tên Ông/Bà; đánh giá chỉ gắn với số phiếu. Góp ý thêm: quét mã QR trên phiếu",
)
LONG_RATE = replace(
    RATE,
    header=Header(LONG_UNIT, "Đánh giá sự phục vụ", DATE, "23:58"),
    clerk=LONG_CLERK,
    clerk_title="Công chức Văn hóa – Xã hội, Bộ phận Tiếp nhận và Trả kết quả",
    counter_line="Quầy 16 – Bảo trợ xã hội – Người có công",
    number="40123",
    faces=FIVE,
)
THANKS = replace(RATE, state="thanks", message="Cảm ơn Ông/Bà đã đánh giá!")
ALREADY = replace(RATE, state="already", message="Lượt giao dịch này đã được đánh giá. Xin cảm ơn!")
NOT_OPEN = replace(RATE, state="not_open", message="Ông/Bà có thể đánh giá sau khi quầy phục vụ xong", number="")
START = StartView(
    Header("UBND XÃ MẪU", "Đang khởi động máy lấy số", DATE, "07:12"),
    (
        StartCheck("Cơ sở dữ liệu", "ok", "1.204 phiếu, toàn vẹn"),
        StartCheck("Màn hình", "ok", "kmsdrm 1280×800"),
        StartCheck(
            "Máy in", "error", "Không tìm thấy /dev/usb/lp0", "Kiểm tra dây USB và nguồn của máy in, rồi bật lại máy in"
        ),
        StartCheck("Đồng hồ", "warn", "Chưa có giờ chuẩn", "Hỏi người phụ trách ngày giờ khi đăng nhập lần đầu"),
        StartCheck("Máy chủ xã", "wait", "Đang kết nối…"),
    ),
    "Máy vẫn cấp số được khi một bộ phận báo lỗi. Kỹ thuật viên: (số của đơn vị)",
)

IDLE = IdleView(
    Header("UBND XÃ MẪU", "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG", DATE, "18:05"),
    "Lấy số lại từ 07:00, Thứ Tư, 25/11/2026",
    ("Sáng: 07:00 – 11:15", "Chiều: 13:00 – 16:30"),
)
LONG_IDLE = replace(
    IDLE,
    header=Header(LONG_UNIT, LONG_UNIT, DATE, "23:58"),
    message="Hôm nay đơn vị nghỉ: Ngày Văn hóa Việt Nam. Lấy số lại từ 07:00, Thứ Tư, 25/11/2026",
    lines=(*IDLE.lines, "Đường dây nóng: (số của đơn vị)"),
    drift=4,
)

SORRY = "Xin lỗi Ông/Bà vì phải chờ lâu hơn dự kiến. Đơn vị đang bố trí thêm quầy"
LONG_START = StartView(
    Header(LONG_UNIT, "Đang khởi động", DATE, "07:12"),
    (
        StartCheck(
            "Cấu hình",
            "warn",
            "BCM 14, 15",
            "Cũng là cổng nối tiếp: tắt cổng nối tiếp trong raspi-config, mục Interface Options",
        ),
        StartCheck(
            "Đơn vị",
            "warn",
            "Đang dùng ĐƠN VỊ MẪU",
            "Khai báo đơn vị thật trong office.toml, rồi ghi tên tệp đó vào kiosk.toml (office = …)",
        ),
        StartCheck("Phông chữ", "error", "thiếu phông chữ", "Cài đặt lại chương trình: sudo ./install.sh"),
        StartCheck(
            "Cơ sở dữ liệu",
            "error",
            "chưa dùng được",
            "Chạy sudo kiosk prepare; nếu vẫn báo lỗi, kiểm tra thẻ nhớ hoặc phục hồi bản sao bằng sudo kiosk restore",
        ),
        StartCheck(
            "Đồng hồ",
            "warn",
            "07:12, 23/11/2026",
            "Chưa ai xác nhận giờ này: chạy sudo kiosk clock yes nếu giờ trên là đúng",
        ),
        StartCheck(
            "Phím bấm",
            "error",
            "lỗi: phím lấy số Bảo trợ xã hội",
            "Kiểm tra dây và số chân BCM trong [buttons] của kiosk.toml; các phím khác vẫn dùng được",
        ),
        StartCheck(
            "Máy in",
            "error",
            "Không kết nối được máy in",
            "Kiểm tra dây, nguồn của máy in và [printer] url trong kiosk.toml",
        ),
        StartCheck("Màn hình", "ok", "kmsdrm 1920×1080 1280×800"),
        StartCheck(
            "Máy chủ xã",
            "warn",
            "chưa gửi được",
            "Kiểm tra mạng và [sync] trong kiosk.toml; số liệu chưa gửi vẫn được giữ trong máy",
        ),
    ),
    "Kỹ thuật viên: chạy “sudo kiosk check” để xem chi tiết",
)
ALL: dict[str, View] = {
    "take": TAKE,
    "take-long": LONG_TAKE,
    "take-keys": KEYS,
    "take-keys-long": replace(LONG_TAKE, mode="keys", panel=PRESS),
    "take-chosen": replace(TAKE, priority=CHOSEN),
    "take-chosen-long": replace(LONG_TAKE, priority=CHOSEN),
    "take-staff": replace(LONG_TAKE, tiles=TILES, staff_icons=STAFF_ICONS),
    "take-6-long": replace(LONG_TAKE, tiles=LONG_TILES[:6]),
    "take-3": replace(TAKE, tiles=TILES[:3], priority=None),
    "take-0": replace(TAKE, tiles=(), message="Hôm nay chưa có lĩnh vực nào nhận số. Xin gặp bàn hướng dẫn"),
    "slip": notice_view(SLIP),
    "slip-long": replace(LONG_TAKE, notice=LONG_SLIP),
    "glass": notice_view(GLASS, "Máy in hết giấy"),
    "glass-long": replace(LONG_TAKE, notice=replace(GLASS, mark="ƯU TIÊN", pill="Xin báo nhân viên hướng dẫn")),
    "closed": notice_view(CLOSED),
    "quota": notice_view(QUOTA),
    "quota-long": replace(LONG_TAKE, notice=QUOTA),
    "holiday": notice_view(HOLIDAY),
    "too-fast": notice_view(TOO_FAST),
    "board": BOARD,
    **{f"board-{n}": board(n) for n in (1, 2, 3, 6, 8, 9, 12, 16)},
    **{f"board-{n}-long": board(n, long=True) for n in (2, 4, 6, 9, 12, 16)},
    "board-sorry": replace(BOARD, apology=SORRY),
    "board-9-sorry": replace(board(9, long=True), apology=SORRY),
    "board-16-sorry": replace(board(16), apology=SORRY),
    "board-0": replace(BOARD, cards=(), message="Chưa khai báo quầy nào. Kỹ thuật viên xem lại office.toml"),
    "board-list": replace(board(4), progress=None, satisfaction=None),
    "board-list-long": replace(board(9, long=True), progress=None, satisfaction=None),
    "rate": RATE,
    "rate-long": LONG_RATE,
    "rate-thanks": THANKS,
    "rate-already": ALREADY,
    "rate-not-open": NOT_OPEN,
    "start": START,
    "start-long": LONG_START,
    "idle": IDLE,
    "idle-long": LONG_IDLE,
}


PICTURES = {
    "take": ("take", (1280, 800), "standard"),
    "board": ("board", (1920, 1080), "standard"),
    "rate": ("rate", (1280, 800), "standard"),
    "take-keys": ("take-keys", (1280, 800), "standard"),
    "board-16": ("board-16", (1920, 1080), "standard"),
    "board-upright": ("board-9-long", (1080, 1920), "standard"),
    "rate-upright": ("rate-long", (1080, 1920), "large"),
    "take-small": ("take-6-long", (800, 480), "large"),
    "board-contrast": ("board", (1280, 800), "contrast"),
    "slip-notice": ("slip", (1280, 800), "standard"),
    "glass": ("glass", (1280, 800), "standard"),
    "idle": ("idle", (1280, 800), "standard"),
    "start": ("start", (1280, 800), "standard"),
}
"""The documentation's pictures: file → sample, size, theme."""


def _fewer_colours(picture: Image.Image) -> Image.Image:
    """256 colours: a third for the band's gradient, the rest for what stands below it."""
    band = picture.crop((0, 0, picture.width, picture.height // 8))
    below = picture.crop((0, picture.height // 8, *picture.size))
    few = [band.quantize(86, Image.Quantize.MEDIANCUT, 2), below.quantize(170, Image.Quantize.MAXCOVERAGE, 2)]
    palette = Image.new("P", (1, 1))
    exact = [*DAY.card, *DAY.star]
    palette.putpalette([*exact, *few[0].getpalette()[: 84 * 3], *few[1].getpalette()[: 170 * 3]])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def write_pictures(folder: Path) -> None:
    """Write the pictures of the documentation: `python -m tests.views_samples docs/img`."""
    pygame.font.init()
    for file, (name, size, theme) in PICTURES.items():
        frame = Frame(Kit(THEMES[theme]), size)
        frame.show(regions(ALL[name], size, THEMES[theme]))
        raw = pygame.image.tobytes(frame.surface, "RGB")
        small = _fewer_colours(Image.frombytes("RGB", size, raw))
        small.save(folder / f"{file}.png", optimize=True)


if __name__ == "__main__":
    write_pictures(Path(sys.argv[1]))
