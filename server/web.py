"""The web server that answers: waitress, behind one that brings HTTPS."""

import errno
import gc
from collections.abc import Callable
from typing import Any

from waitress.server import create_server

from server.config import Config

MOST_BYTES = 64 * 1024 * 1024
"""Of a request: files of a stick. Everything else has limits of its own."""


MOST_CONNECTIONS = 800
"""waitress has 100, which a hundred slow phones, or one stranger, use up. Below the 1,024 files of a service."""


def keep_still() -> None:
    """Take what is loaded by now out of the garbage collector's sight: it would go over all of it in the middle of a
    page."""
    gc.collect()
    gc.freeze()


def listening(application: Callable[..., Any], config: Config) -> Any:
    """A waitress that listens and does not answer yet: `effective_port`, `run()`, `close()`. Raises OSError.

    waitress takes X-Forwarded-* away from requests unless it is told whom to believe.
    """
    proxy: dict[str, Any] = {"trusted_proxy": "*", "trusted_proxy_headers": {"x-forwarded-proto"}}
    options = {"max_request_body_size": MOST_BYTES, "channel_timeout": 60, "ident": ""}
    options |= {"connection_limit": MOST_CONNECTIONS, "asyncore_use_poll": True}
    try:
        return create_server(
            application,
            host=config.listen,
            port=config.port,
            threads=config.threads,
            **options,
            **(proxy if config.behind_proxy else {}),
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        todo = f"another server answers there already; end it, or give another port in {config.file}"
        raise OSError(f"port {config.port} of {config.listen} is taken: {todo}") from error
