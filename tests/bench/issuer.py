"""One of several processes that give numbers at once: `python -m tests.bench.issuer FOLDER COUNT`.

Says "ready", waits for a line, gives COUNT numbers, and says as JSON which, how long each took, and what went wrong.
"""

import json
import sys
import time
from pathlib import Path

from kiosk.store import StoreError
from tests.office import moment, open_store


def main(folder: Path, count: int) -> None:
    store = open_store(folder)
    print("ready", flush=True)
    sys.stdin.readline()
    numbers, errors, ms = [], [], []
    began = time.monotonic()
    for n in range(count):
        start = time.monotonic()
        try:
            ticket = store.issuing.issue(moment(n), "ho-tich").ticket
        except StoreError as error:
            errors.append(str(error))
        else:
            numbers.append([ticket.series, ticket.service, ticket.seq])
        ms.append((time.monotonic() - start) * 1000)
    told = {"numbers": numbers, "errors": errors, "ms": ms, "began": began, "ended": time.monotonic()}
    print(json.dumps(told), flush=True)
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
