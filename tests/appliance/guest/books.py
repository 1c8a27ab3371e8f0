"""Inside the machine: what the kiosk's database holds, as JSON. Reads with plain SQL, and changes nothing."""

import json
import sqlite3

DATABASE = "/var/lib/kiosk/kiosk.db"
QUERIES = {
    "tickets": "SELECT id, token, series, service, seq, state FROM tickets ORDER BY id",
    "jobs": "SELECT id, ticket, state, copy, why FROM jobs ORDER BY id",
    "facts": "SELECT key, value FROM facts",
}


def main() -> None:
    """Print {"check": "ok", "tickets": […], "jobs": […], "facts": […]}."""
    conn = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True, timeout=30)
    conn.row_factory = sqlite3.Row
    books: dict[str, object] = {"check": conn.execute("PRAGMA integrity_check").fetchone()[0]}
    books |= {name: [dict(row) for row in conn.execute(query)] for name, query in QUERIES.items()}
    print(json.dumps(books))


if __name__ == "__main__":
    main()
