"""Tokens of programs that may read figures."""

import re

import pytest

from server.feed.intake import digest
from server.registry.models import Integrator, Unit
from tests.server.kit import NOW, Server


def test_a_token_is_shown_once_and_only_its_hash_is_kept(lite: Server):
    admin = lite.signed_in("quan-tri", "admin")
    page = admin.post("/admin/integrators", {"name": "Phần mềm báo cáo của tỉnh"}).content.decode()
    found = re.search(r"<code>([\w-]{43})</code>", page)
    assert found
    row = Integrator.objects.get()
    assert (row.token, row.unit, row.revoked) == (digest(found[1]), lite.unit, False)
    assert found[1] not in admin.get("/admin/integrators").content.decode()


def test_a_token_that_is_ended_stays_in_the_list(lite: Server):
    admin = lite.signed_in("quan-tri", "admin")
    admin.post("/admin/integrators", {"name": "BI"})
    admin.post(f"/admin/integrators/{Integrator.objects.get().pk}/revoke")
    assert Integrator.objects.get().revoked
    assert "Đã thu hồi" in admin.get("/admin/integrators").content.decode()


def test_an_administrator_has_only_those_of_the_own_commune_and_an_operator_all(lite: Server):
    other = Unit.objects.create(code="2", name="xã Khác")
    theirs = Integrator.objects.create(name="Của xã khác", unit=other, token="1", made=NOW)
    whole = Integrator.objects.create(name="Của tỉnh", unit=None, token="2", made=NOW)
    admin = lite.signed_in("quan-tri", "admin")
    assert "Của " not in admin.get("/admin/integrators").content.decode()
    for row in (theirs, whole):
        assert admin.post(f"/admin/integrators/{row.pk}/revoke").status_code == 404
    operator = lite.signed_in("van-hanh", "operator")
    assert "Của xã khác" in operator.get("/admin/integrators").content.decode()
    operator.post("/admin/integrators", {"name": "BI"})
    assert Integrator.objects.get(name="BI").unit is None


@pytest.mark.parametrize("role", ["viewer", "leader", "technician", "clerk"])
def test_others_may_not(lite: Server, role: str):
    browser = lite.signed_in("ai-do", role)
    assert browser.get("/admin/integrators").status_code == 403
    assert browser.post("/admin/integrators", {"name": "x"}).status_code == 403


def test_a_program_without_a_name_gets_no_token(lite: Server):
    assert lite.signed_in("quan-tri", "admin").post("/admin/integrators", {"name": " "}).status_code == 422
    assert not Integrator.objects.exists()
