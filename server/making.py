"""How often pages for everybody may be made: what a cache has costs nothing and is not counted.

In memory alone and for seconds, by the page's own address. Nobody's address is known here.
"""

import threading
import time

from kiosk.public.limits import Limiter, Rate

EACH = Rate(burst=20, every_s=1)
TOGETHER = Rate(burst=120, every_s=0.1)


class Making:
    """One limit for each page, and one for all together, for all threads."""

    def __init__(self, each: Rate = EACH, together: Rate = TOGETHER) -> None:
        self._limiter = Limiter(each, together)
        self._lock = threading.Lock()

    def may(self, key: str) -> bool:
        """Whether `allow` would; nothing is counted."""
        with self._lock:
            return self._limiter.may(key, time.monotonic())

    def allow(self, key: str) -> bool:
        """Whether this page may be made once more; if so, it is counted."""
        with self._lock:
            return self._limiter.allow(key, time.monotonic())
