"""Views of the database for an existing BI tool: names and columns stay, whatever becomes of the tables behind them.

docs/server.md describes each column. Days and times are those of the office's wall clock. No token of a ticket, no
free text, nothing that ties two tickets to one person; ratings as the sums of past months that reports show, without
counter or clerk: with the tickets beside it, a day's few would tell whose they are.
"""

from django.db import connection

NAMES = ("v_tickets", "v_ratings", "v_days")
ZONE = "Asia/Ho_Chi_Minh"

_POSTGRES = {
    "local": "({0} AT TIME ZONE '" + ZONE + "')",
    "seconds": "floor(extract(epoch FROM {1} - {0}))::bigint",
    "each": "jsonb_each_text({0})",
    "alike": "CROSS JOIN LATERAL jsonb_each(f.ratings) AS of_set"
    " CROSS JOIN LATERAL jsonb_array_elements(of_set.value -> 'alike') AS alike",
    "integer": "(alike.value ->> {0})::integer",
    "text": "alike.value ->> {0}",
}
_SQLITE = {
    "local": "datetime({0}, '+7 hours')",  # Vietnam has no daylight saving
    "seconds": "(CAST(strftime('%s', {1}) AS INTEGER) - CAST(strftime('%s', {0}) AS INTEGER))",
    "each": "json_each({0})",
    "alike": "JOIN json_each(f.ratings) AS of_set JOIN json_each(of_set.value, '$.alike') AS alike",
    "integer": "json_extract(alike.value, '$[{0}]')",
    "text": "json_extract(alike.value, '$[{0}]')",
}


def create() -> None:
    """Make the views; they must not be there."""
    with connection.cursor() as cursor:
        for statement in _statements():
            cursor.execute(statement)


def drop() -> None:
    """Take the views away, if they are there."""
    with connection.cursor() as cursor:
        for name in NAMES:
            cursor.execute(f"DROP VIEW IF EXISTS {name}")


def _statements() -> list[str]:
    words = _POSTGRES if connection.vendor == "postgresql" else _SQLITE
    return [_tickets(words), _ratings(words), _days(words)]


_WHERE = "u.code AS unit, u.name AS unit_name, s.key AS site, s.name AS site_name"
_JOIN = "JOIN registry_site s ON s.id = f.site_id JOIN registry_unit u ON u.id = s.unit_id"


def _tickets(words: dict[str, str]) -> str:
    times = {"issued": "issued_at", "called": "reached_at", "started": "started_at", "ended": "ended_at"}
    local = ", ".join(f"{words['local'].format(f'f.{column}')} AS {name}" for name, column in times.items())
    wait = words["seconds"].format("f.issued_at", "f.reached_at")
    service = words["seconds"].format("f.started_at", "f.ended_at")
    return f"""CREATE VIEW v_tickets AS
        SELECT f.id AS ticket, {_WHERE}, d.name AS device, f.day AS day, f.session AS session, f.number AS number,
          f.service AS service, f.queue AS queue, f.priority AS priority, f.state AS state, f.counter AS counter,
          f.clerk AS clerk, {local}, {wait} AS wait_s,
          CASE WHEN f.state = 'served' AND NOT f.implied THEN {service} END AS service_s, f.calls AS calls,
          f.transfers AS transfers, f.holds AS holds, f.misses AS misses, f.issuer AS issued_by, f.num AS num
        FROM facts_ticket f {_JOIN} JOIN registry_device d ON d.id = f.device_id"""


def _ratings(words: dict[str, str]) -> str:
    level, flags, n = words["integer"].format(0), words["text"].format(1), words["integer"].format(2)
    return f"""CREATE VIEW v_ratings AS
        SELECT {_WHERE}, f.month AS day, of_set.key AS label_set, {level} AS level, {flags} AS flags, {n} AS n
        FROM reports_monthsum f {_JOIN} {words["alike"]}
        WHERE f.dim = 'all'"""


def _days(words: dict[str, str]) -> str:
    counts = ("issued", "priority", "served", "no_show", "cancelled", "closed", "transfers", "holds")
    spreads = ", ".join(
        f"{_sum(words, column)} AS {name}_n, {_total(words, column)} AS {name}_total_min,"
        f" {_rank(words, column, 50)} AS {name}_median_min, {_rank(words, column, 90)} AS {name}_p90_min"
        for name, column in (("wait", "waits"), ("service", "services"))
    )
    return f"""CREATE VIEW v_days AS
        SELECT {_WHERE}, f.day AS day, f.dim AS dim, f.key AS key,
          {", ".join(f"f.{count} AS {count}" for count in counts)}, {spreads}
        FROM facts_rollup f {_JOIN}"""


def _sum(words: dict[str, str], column: str) -> str:
    return f"(SELECT coalesce(sum(CAST(value AS INTEGER)), 0) FROM {words['each'].format(f'f.{column}')})"


def _total(words: dict[str, str], column: str) -> str:
    each = words["each"].format(f"f.{column}")
    return f"(SELECT coalesce(sum(CAST(key AS INTEGER) * CAST(value AS INTEGER)), 0) FROM {each})"


def _rank(words: dict[str, str], column: str, percent: int) -> str:
    """Nearest rank, as `server.reports.spreads.rank`."""
    each = words["each"].format(f"f.{column}")
    return f"""(SELECT min(minute) FROM (
        SELECT CAST(key AS INTEGER) AS minute, sum(CAST(value AS INTEGER)) OVER (ORDER BY CAST(key AS INTEGER)) AS seen,
          sum(CAST(value AS INTEGER)) OVER () AS of_all FROM {each}) AS ranked
        WHERE seen * 100 >= of_all * {percent})"""
