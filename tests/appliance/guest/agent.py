"""Inside the machine: carries out the shell commands that come as lines of JSON on a virtio port, one after another.

In: {"id": 1, "sh": "uptime", "timeout_s": 60}; out: {"id": 1, "rc": 0, "out": "…"}, with rc 124 when the time was over.
"""

import json
import subprocess
import time
from pathlib import Path
from typing import IO

PORT = Path("/dev/virtio-ports/appliance.agent")


def carry_out(asked: dict[str, object]) -> dict[str, object]:
    """What a shell made of the command; what it said is cut to its last 200,000 letters."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", str(asked["sh"])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=float(str(asked["timeout_s"])),
            check=False,
        )
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        code, said = 124, error.stdout or b""
    return {"id": asked["id"], "rc": code, "out": said.decode(errors="replace")[-200_000:]}


def serve(port: IO[bytes]) -> None:
    """Until the machine goes down."""
    rest = b""
    while True:
        if not (data := port.read(65536)):
            time.sleep(0.05)  # nobody is connected: the port is always ready then, and has nothing
            continue
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            port.write(json.dumps(carry_out(json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    with PORT.open("r+b", buffering=0) as opened:
        serve(opened)
