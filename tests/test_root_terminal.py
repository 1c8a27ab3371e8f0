"""What root runs as the kiosk's user cannot type into root's terminal: it begins a session of its own."""

import os
import sys
from pathlib import Path

from tests.release_kit import HELPERS, machine


def test_an_update_tries_a_release_in_a_session_of_its_own(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(HELPERS)!r}); import kiosk_release as r; "
        f"print(r.as_kiosk({sys.executable!r}, '-c', 'import os; print(os.getsid(0))').stdout)"
    )
    session = machine(tmp_path).python("-c", code).stdout
    assert int(session) != os.getsid(0)
