"""Work of a process of its own, because its library is large and seldom wanted: the console would keep it for ever.

Both ends are here; what is asked and answered travels as JSON. Knows no work by name.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from kiosk.programs import Program, ProgramError


def ask(module: str, asked: Any, seconds: float) -> Any:
    """What a module of ours answers that ends with `answer`. Raises ProgramError: its reason, or that it failed."""
    program = Program([sys.executable, "-m", module], json.dumps(asked).encode())
    try:
        return json.loads(program.result(seconds))
    except ProgramError as error:
        raise ProgramError(str(error).removeprefix(f"{sys.executable}: ")) from error


def answer(work: Callable[[Any], Any]) -> int:
    """Do what standard input asks for; the exit status. An OSError is a reason, and said in one line.

    What JSON does not know, paths and times, goes as text.
    """
    asked = json.load(sys.stdin)
    try:
        print(json.dumps(work(asked), default=str))
    except OSError as error:
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
        return 1
    return 0
