"""Sets Django up before any test of the server is imported."""

import pytest

from tests.server.kit import filed, lite, server

pytest.register_assert_rewrite("tests.server.day_kit")  # it compares, and is to say what differs

__all__ = ["filed", "lite", "server"]
