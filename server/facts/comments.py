"""What the event of a comment says of its words, which stand beside the feed."""

import hashlib


def digest(salt: str, text: str) -> str:
    """The `sha256` of a `comment.given` event: of salt and words together (docs/feed.md)."""
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()
