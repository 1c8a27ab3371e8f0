"""Communes, their names over time and reception points; and the commands that make the first of them."""

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from server import clock, commands
from server import config as server_config
from server.accounts.models import Audit, Role, User
from server.office.names import unit_name
from server.registry.communes import bring_names
from server.registry.models import Site, Unit
from tests.server.kit import NOW, PASSWORD, Server

DAY = date(2026, 12, 1)


def test_an_operator_makes_a_commune_with_a_reception_point(lite: Server):
    operator = lite.signed_in("van-hanh", "operator")
    operator.post("/admin/communes", {"code": "00123", "name": "phường Mới", "valid_from": "2025-07-01"})
    unit = Unit.objects.get(code="00123")
    operator.post(f"/admin/communes/{unit.pk}/sites", {"site-key": "chinh", "site-name": "Trụ sở"})
    assert [(site.key, site.name) for site in unit.sites.all()] == [("chinh", "Trụ sở")]
    assert list(Audit.objects.values_list("what", "unit")) == [("unit.made", unit.pk), ("site.made", unit.pk)]


def test_a_commune_that_is_renamed_keeps_its_old_name_for_old_days(lite: Server):
    operator = lite.signed_in("van-hanh", "operator")
    operator.post("/admin/communes", {"code": "00123", "name": "xã Cũ", "valid_from": "2025-07-01"})
    unit = Unit.objects.get(code="00123")
    operator.post(f"/admin/communes/{unit.pk}/name", {"unit-name": "phường Mới", "unit-valid_from": "2026-09-01"})
    unit.refresh_from_db()
    assert unit.name == "phường Mới"
    assert unit_name(unit, date(2026, 8, 31)) == "xã Cũ"
    assert unit_name(unit, date(2026, 9, 1)) == "phường Mới"


def test_a_name_of_a_day_to_come_is_the_present_one_from_that_day_on(lite: Server):
    operator = lite.signed_in("van-hanh", "operator")
    clock.follow(lambda: NOW)
    operator.post(f"/admin/communes/{lite.unit.pk}/name", {"unit-name": "xã Sau", "unit-valid_from": str(DAY)})
    clock.follow(None)
    assert Unit.objects.get().name == "xã Mẫu"
    assert bring_names(NOW + timedelta(days=7)) == 0
    assert bring_names(NOW + timedelta(days=8)) == 1
    assert Unit.objects.get().name == "xã Sau"


def test_a_name_that_was_entered_wrong_is_corrected_on_the_same_day(lite: Server):
    operator = lite.signed_in("van-hanh", "operator")
    for name in ("xa Mau", "xã Mẫu"):
        operator.post(f"/admin/communes/{lite.unit.pk}/name", {"unit-name": name, "unit-valid_from": "2025-07-01"})
    assert lite.unit.names.get().name == "xã Mẫu"


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "12345"},
        {"code": "mã 1"},
        {"code": ""},
        {"name": ""},
        {"name": "x" * 201},
        {"valid_from": "hôm qua"},
    ],
)
def test_what_cannot_be_a_commune_is_said_and_nothing_is_kept(lite: Server, wrong: dict[str, str]):
    given = {"code": "00123", "name": "xã A", "valid_from": "2025-07-01", **wrong}
    answer = lite.signed_in("van-hanh", "operator").post("/admin/communes", given)
    assert answer.status_code == 422
    assert 'class="problem"' in answer.content.decode()
    assert Unit.objects.count() == 1


def test_a_reception_point_has_an_id_as_office_documents_have_and_each_once(lite: Server):
    operator = lite.signed_in("van-hanh", "operator")
    for key in ("chinh", "Chính", "a b", ""):
        given = {"site-key": key, "site-name": "Trụ sở"}
        assert operator.post(f"/admin/communes/{lite.unit.pk}/sites", given).status_code == 422
    operator.post(f"/admin/sites/{lite.site.pk}/name", {"name": "Trụ sở\u202e mới"})
    operator.post(f"/admin/sites/{lite.site.pk}/name", {"name": " "})
    assert Site.objects.get().name == "Trụ sở mới"


def test_communes_are_found_by_name_or_code(lite: Server):
    Unit.objects.create(code="00777", name="phường Bên Sông")
    operator = lite.signed_in("van-hanh", "operator")
    for asked in ("bên", "BEN SONG", "00777"):
        page = operator.get(f"/admin/communes?q={asked}").content.decode()
        assert "phường Bên Sông" in page
        assert f"/admin/communes/{lite.unit.pk}" not in page


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_only_operators_see_and_change_communes(lite: Server, role: Role):
    browser = lite.signed_in("ai-do", role)
    assert browser.get("/admin/communes").status_code == 403
    for address in (f"/admin/communes/{lite.unit.pk}/name", f"/admin/communes/{lite.unit.pk}/sites"):
        assert browser.post(address).status_code == 403
    assert browser.post(f"/admin/sites/{lite.site.pk}/name", {"name": "x"}).status_code == 403


# --- commands -------------------------------------------------------------------------------------------------


def test_one_command_makes_a_commune_its_administrator_and_a_code_for_the_first_kiosk(lite: Server):
    said = commands.set_up("00123", "xã Đầu Tiên", "chinh", "", "", NOW)
    unit = Unit.objects.get(code="00123")
    assert unit_name(unit, date(2026, 1, 1)) == "xã Đầu Tiên"
    first = re.search(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", said)
    assert first
    user = User.objects.get(username="quan-tri-00123")
    assert user.check_password(first[0])
    assert user.first_password
    code = re.search(r"kiosk enrol http://testserver ([A-Z2-9-]{9})", said)
    assert code


def test_setting_up_twice_changes_nothing_and_gives_another_code(lite: Server):
    commands.set_up("00123", "xã Đầu Tiên", "chinh", "", "", NOW)
    again = commands.set_up("00123", "xã Đầu Tiên", "chinh", "", "", NOW)
    assert "kiosk enrol" in again
    assert "mật khẩu" not in again
    assert (Unit.objects.count(), User.objects.count()) == (2, 1)


def test_what_the_command_line_makes_stands_in_the_audit_that_the_communes_leader_reads(lite: Server):
    commands.set_up("00123", "xã Đầu Tiên", "chinh", "", "", NOW)
    unit = Unit.objects.get(code="00123")
    done = [("unit.made", "00123 xã Đầu Tiên"), ("site.made", "chinh Trụ sở xã Đầu Tiên"),
            ("account.made", "quan-tri-00123 (admin)"), ("kiosk.code", "Trụ sở xã Đầu Tiên")]  # fmt: skip
    assert list(Audit.objects.filter(unit=unit).order_by("id").values_list("what", "about")) == done
    commands.set_up("00123", "xã Đầu Tiên", "hai", "", "", NOW)
    assert [row.what for row in Audit.objects.order_by("id")[4:]] == ["site.made", "kiosk.code"]
    leader = lite.signed_in("lanh-dao", "leader")
    User.objects.filter(username="lanh-dao").update(unit=unit)
    page, sheet = (leader.get(f"/admin/audit{kind}?who=kiosk-server").content.decode() for kind in ("", ".csv"))
    assert page.count("máy chủ (dòng lệnh)</td>") == sheet.count(",máy chủ (dòng lệnh),") == 6


def test_no_account_has_the_name_of_the_command_line(lite: Server):
    with pytest.raises(ValueError, match="kiosk-server: "):
        commands.set_up("00123", "xã Đầu Tiên", "chinh", "", "kiosk-server", NOW)
    admin = lite.signed_in("quan-tri", "admin")
    given = {"username": "kiosk-server", "name": "Ai đó", "role": "leader"}
    assert admin.post("/admin/people/new", given).status_code == 422
    assert admin.post("/admin/people/new", {**given, "username": "ai-do"}).status_code != 422


@pytest.mark.parametrize("code", ["", "xa mau", "12345 ", "12345\n", "12\t345", "mã", "1" * 21, "١٢٣٤٥", "1/2"])
def test_what_cannot_be_a_communes_code_is_refused_with_where_to_find_it_and_nothing_is_made(lite: Server, code: str):
    with pytest.raises(ValueError, match=r"--code '.*': ghi mã của xã, phường trong danh mục"):
        commands.set_up(code, "xã A", "chinh", "", "", NOW)
    assert (Unit.objects.count(), Audit.objects.count()) == (1, 0)


def test_a_commune_that_is_there_is_set_up_again_whatever_its_code(lite: Server):
    Unit.objects.filter(pk=lite.unit.pk).update(code="xã cũ")
    said = commands.set_up("xã cũ", "", "chinh", "", "quan-tri", NOW)
    assert said.startswith("Đã có sẵn")


def test_setting_up_refuses_codes_and_names_that_cannot_be(lite: Server):
    for code, site, admin in (("mã", "chinh", ""), ("1", "Chính", ""), ("1", "chinh", "Nguyễn A")):
        with pytest.raises(ValueError, match=r"\w"):
            commands.set_up(code, "xã A", site, "", admin, NOW)


def test_an_operator_is_made_with_a_password_from_standard_input(lite: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert "Đã tạo tài khoản quản trị máy chủ van-hanh" in commands.make_operator("Van-Hanh", "", NOW)
    assert User.objects.get(username="van-hanh").check_password(PASSWORD)
    lite.user("lanh-dao", "leader")
    for username, password, says in (("lanh-dao", PASSWORD, "có rồi"), ("moi", "ngan", "ngắn quá")):
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        with pytest.raises(ValueError, match=says):
            commands.make_operator(username, "", NOW)


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, *typed: str) -> list[str]:
    """Somebody types these passwords; the prompts that come."""
    prompts: list[str] = []
    answers = iter(typed)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr(commands, "getpass", lambda prompt: prompts.append(prompt) or next(answers))
    return prompts


def test_at_a_terminal_the_password_is_asked_twice_after_its_rule(
    lite: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    prompts = at_a_terminal(monkeypatch, PASSWORD, PASSWORD + "x")
    with pytest.raises(ValueError, match="không giống nhau"):
        commands.make_operator("van-hanh", "", NOW)
    assert prompts == ["Mật khẩu mới: ", "Nhập lại mật khẩu mới: "]
    assert "Ít nhất 10 ký tự" in capsys.readouterr().err
    at_a_terminal(monkeypatch, PASSWORD, PASSWORD)
    commands.make_operator("van-hanh", "", NOW)
    assert User.objects.get(username="van-hanh").check_password(PASSWORD)


def test_an_operator_who_lost_the_password_or_was_switched_off_gets_in_again_by_the_same_command(
    lite: Server, monkeypatch: pytest.MonkeyPatch
):
    browser = lite.signed_in("van-hanh", "operator")
    User.objects.update(is_active=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("another-long-password\n"))
    assert "mật khẩu mới" in commands.make_operator("van-hanh", "", NOW)
    user = User.objects.get()
    assert (user.is_active, user.check_password("another-long-password")) == (True, True)
    assert browser.get("/admin/communes").status_code == 302
    assert list(Audit.objects.values_list("who", "what", "about")) == [
        ("kiosk-server", "account.reset", "van-hanh (operator)")
    ]


def test_a_newcomer_gets_from_nothing_to_a_code_by_two_commands(tmp_path: Path):
    (tmp_path / "server.toml").write_text('data_dir = "data"\n')
    environment = {**os.environ, "KIOSK_SERVER_CONFIG": str(tmp_path / "server.toml")}

    def run(*words: str, typed: str = "") -> str:
        command = [sys.executable, "-m", "server", *words]
        done = subprocess.run(command, input=typed, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("operator", "van-hanh", typed=PASSWORD + "\n")
    said = run("setup", "--code", "12345", "--name", "xã Mẫu")
    assert "sudo kiosk enrol http://127.0.0.1:8800 " in said
    assert f"Ghi địa chỉ thật vào url trong {tmp_path / 'server.toml'}" in said


def test_commands_that_begin_at_once_on_nothing_wait_for_each_other(tmp_path: Path):
    (tmp_path / "server.toml").write_text('data_dir = "data"\n')
    command = [sys.executable, "-m", "server", "--config", str(tmp_path / "server.toml"), "prepare"]
    begun = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in begun] == [("", 0)] * 3


def test_a_command_where_no_server_is_begins_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "server.toml"
    monkeypatch.setattr(server_config, "FILE", str(file))
    monkeypatch.delenv("KIOSK_SERVER_CONFIG", raising=False)
    config = replace(server_config.load(), data_dir=str(tmp_path / "data"))
    with pytest.raises(ValueError, match="there is no server here"):
        server_config.check_meant(config)
    (tmp_path / "data").mkdir()
    server_config.check_meant(config)


def test_a_commune_is_set_up_with_a_name_and_keeps_it(lite: Server):
    for name in ("", " ", "x" * 201):
        with pytest.raises(ValueError, match="--name: thiếu tên đầy đủ"):
            commands.set_up("54321", name, "chinh", "", "", NOW)
    assert not Unit.objects.filter(code="54321").exists()
    assert commands.set_up("54321", "xã Khác", "chinh", "", "", NOW).startswith("Đã tạo xã Khác")
    again = commands.set_up("54321", "xã Nào", "chinh", "", "", NOW)
    assert again.startswith("Đã có sẵn xã Khác")
    assert "không đổi thành xã Nào" in again


def test_a_server_without_accounts_says_how_to_make_one(lite: Server):
    assert "kiosk-server operator" in lite.client.get("/sign-in").content.decode()
    lite.user("van-hanh", "operator")
    assert "kiosk-server operator" not in lite.client.get("/sign-in").content.decode()
