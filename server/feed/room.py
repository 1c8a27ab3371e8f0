"""How many kiosks may push at once: pages stay quick while a province's backlog comes in."""

import random
import threading
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

AGAIN_S = (2, 10)
"""Between these, by chance: a hundred kiosks that were sent away do not come back together."""

View = Callable[[HttpRequest], HttpResponse]

places = threading.BoundedSemaphore(max(2, settings.CONFIG.threads // 2))


def while_there_is_room(view: View) -> View:
    """Answer 503 with Retry-After while half of the threads take pushes; kiosks keep everything and come again."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        if not places.acquire(blocking=False):
            body = {"code": "busy", "message": "many kiosks send at this moment: come again"}
            after = str(random.randint(*AGAIN_S))
            return JsonResponse(body, status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": after})
        try:
            return view(request)
        finally:
            places.release()

    return wrapped
