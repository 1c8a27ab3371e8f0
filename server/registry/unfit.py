"""Why an event was set aside, as a sentence of the language files.

The reason that is kept is the program's own English: the kiosk hears the same words (docs/feed.md), and the technician
reads them beside the sentence.
"""

import re

KINDS = {
    "line": r"not JSON.*|not a JSON object|the key .* is missing|at: .*|.*: not as the feed's format says",
    "long": r"\d+ bytes, at most \d+",
    "twice": r"the id .* came before with other bytes",
    "clock": r".*: at, boot or mono is nothing that a clock shows",
    "newer": r".* v\d+: this server knows v\d+|.*: no (ticket|counter) event: .*",
    "fields": r".*missing or not as expected",
    "no_ticket": r"[a-z0-9_.]+: no ticket .*",
    "no_rating": r"[a-z0-9_.]+: no rating .*",
}
"""What the reasons of each kind look like, where `sync.wire`, `sync.ingest`, `server.facts.shapes` and
`server.facts.fold` make them; the first one that fits."""


def why(reason: str) -> str:
    """The key of the sentence; one of its own for whatever kept an event from being counted or written."""
    kind = next((kind for kind, looks in KINDS.items() if re.fullmatch(looks, reason, re.DOTALL)), "other")
    return f"quarantine.why_{kind}"
