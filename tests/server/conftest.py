"""Sets Django up before any test of the server is imported."""

from tests.server.kit import lite, server

__all__ = ["lite", "server"]
