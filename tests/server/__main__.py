"""Keeps the database of this release for the tests of later ones: `python -m tests.server FOLDER`."""

import sys
from pathlib import Path

from tests.server.kit import server_on
from tests.server.release import make

if __name__ == "__main__":
    assert server_on  # sets Django up before anything of the server is imported
    make(Path(sys.argv[1]))
