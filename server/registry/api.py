"""POST /api/v1/enrol: a kiosk brings a one-time code and gets its token. docs/feed.md has the answers."""

import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kiosk.public.limits import Rate, spend
from server import asking, clock
from server.feed.api import refused
from server.registry.enrolment import EnrolError, enrol
from sync import wire

GUESSES = Rate(burst=10, every_s=30.0)


@dataclass
class Guesses:
    """How many wrong codes this process still looks at, from all the world together."""

    _full_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def left(self, now: float) -> bool:
        """Whether another code may be looked at; `now` in seconds of a clock that never goes back."""
        return spend(self._full_at, GUESSES, now) is not None

    def count(self, now: float) -> None:
        """A wrong one."""
        with self._lock:
            self._full_at = spend(self._full_at, GUESSES, now) or self._full_at


guesses = Guesses()


@csrf_exempt
@require_POST
def enrol_kiosk(request: HttpRequest) -> JsonResponse:
    """{"code", "device", "app", "office", "replace"} → {"device", "token", "unit", "site", "epoch", "office"}."""
    if asking.length(request.headers) > 2 * wire.MAX_BODY:
        return refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"more than {2 * wire.MAX_BODY} bytes")
    if not guesses.left(time.monotonic()):
        answer = refused(HTTPStatus.TOO_MANY_REQUESTS, "busy", "too many wrong codes: try again in a minute")
        answer["Retry-After"] = "60"
        return answer
    try:
        return JsonResponse(_enrolled(wire.parse_object(request.read(2 * wire.MAX_BODY))))
    except EnrolError as error:
        if error.refusal == "code":
            guesses.count(time.monotonic())
        status = HTTPStatus.FORBIDDEN if error.refusal == "code" else HTTPStatus.CONFLICT
        return refused(status, error.refusal, str(error))
    except wire.WireError as error:
        return refused(HTTPStatus.BAD_REQUEST, "bad_request", str(error))


def _enrolled(asked: dict[str, Any]) -> dict[str, Any]:
    now = clock.now()
    code, name, office = asked.get("code"), asked.get("device"), asked.get("office")
    if not isinstance(code, str) or not isinstance(name, str) or not (office is None or isinstance(office, str)):
        raise wire.WireError("code and device are texts, office is a text or null")
    replace, rename = (asked.get(key) is True for key in ("replace", "rename"))
    done = enrol(code, name, now, replace=replace, rename=rename, office=office)
    device, site, brought = done.device, done.device.site, done.brought
    answer = {"device": device.name, "token": done.token, "unit": site.unit.name, "site": site.name}
    problem = {"office_problem": brought.problem} if brought.problem else {}
    return {**answer, "epoch": device.epoch, "office": brought.what, **problem}
