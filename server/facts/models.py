"""What the events say: tickets, ratings, counters and days. Every row can be made again from the raw events."""

from typing import ClassVar

from django.db import models

from server.registry.models import Device, Site


class Cursor(models.Model):
    """How far the facts have been made of the events: the last `num`. One row, locked by whoever writes facts.

    `rebuilds` counts how often facts were made again: what was read before it is not written after it. Rows of days
    before `since` are gone (server.facts.retention), so the sums of those days stay as they are. `seen` is when the
    server's clock was believed last (server.facts.believed). No rating of an event up to number `in_time` is late.
    """

    one = models.SmallIntegerField(primary_key=True)
    num = models.BigIntegerField()
    rebuilds = models.IntegerField(default=0)
    since = models.DateField(null=True)
    seen = models.DateTimeField(null=True)
    in_time = models.BigIntegerField(default=0)


class Ticket(models.Model):
    """A ticket as its events leave it: the fields of `kiosk.tickets.Ticket`, and what reports need beside them.

    `day` is the office's day of its series; `reached_at` is its first call ever, whatever was called again later;
    `transfers`, `holds` and `misses` count. Kept for `ticket_months`, then only its rollups are.
    """

    id = models.CharField(max_length=40, primary_key=True)
    site = models.ForeignKey(Site, models.PROTECT)
    device = models.ForeignKey(Device, models.PROTECT)
    day = models.DateField()
    token = models.CharField(max_length=20, db_index=True)
    series = models.CharField(max_length=60)
    session = models.CharField(max_length=40)
    service = models.CharField(max_length=40)
    seq = models.IntegerField()
    number = models.CharField(max_length=12)
    priority = models.BooleanField()
    issued_at = models.DateTimeField()
    boot = models.CharField(max_length=64)
    trusted = models.BooleanField()
    place = models.BigIntegerField()
    queue = models.CharField(max_length=40)
    state = models.CharField(max_length=10)
    target = models.CharField(max_length=8)
    counter = models.CharField(max_length=8)
    clerk = models.CharField(max_length=40)
    calls = models.IntegerField()
    first_called_at = models.DateTimeField(null=True)
    last_called_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    implied = models.BooleanField()
    ended_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=300)
    missed_at = models.DateTimeField(null=True)
    issuer = models.CharField(max_length=20)
    linked = models.CharField(max_length=40)
    reached_at = models.DateTimeField(null=True)
    transfers = models.IntegerField(default=0)
    holds = models.IntegerField(default=0)
    misses = models.IntegerField(default=0)
    num = models.BigIntegerField()
    """The last event that changed it: integrators read changed rows by it."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["site", "day"], name="tickets_site_day"),
            models.Index(fields=["device", "series"], name="tickets_series"),
            models.Index(fields=["num"], name="tickets_num"),
        ]


class Rating(models.Model):
    """A rating as `kiosk.rating.Rating`; flags and reasons are joined by spaces.

    `counting` says that it is the one that counts for its ticket, asked again with each event.
    `service` is its ticket's. `late` is the day on which the server heard of it, None when that was in time to be among
    those that are shown first (server.facts.settling).
    """

    id = models.CharField(max_length=40, primary_key=True)
    site = models.ForeignKey(Site, models.PROTECT)
    device = models.ForeignKey(Device, models.PROTECT)
    day = models.DateField()
    session = models.CharField(max_length=40)
    ticket = models.CharField(max_length=40, db_index=True)
    counter = models.CharField(max_length=8)
    clerk = models.CharField(max_length=40)
    service = models.CharField(max_length=40)
    level = models.SmallIntegerField()
    label_set = models.CharField(max_length=40)
    source = models.CharField(max_length=10)
    flags = models.CharField(max_length=80)
    reasons = models.CharField(max_length=200)
    at = models.DateTimeField()
    replaced_by = models.CharField(max_length=40)
    guess_boot = models.CharField(max_length=64)
    counting = models.BooleanField()
    late = models.DateField(null=True)
    num = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["site", "day"], name="ratings_site_day"),
            models.Index(fields=["num"], name="ratings_num"),
        ]


class Desk(models.Model):
    """A counter as it is now: the fields of `kiosk.tickets.Counter`."""

    site = models.ForeignKey(Site, models.PROTECT)
    device = models.ForeignKey(Device, models.PROTECT)
    counter = models.CharField(max_length=8)
    state = models.CharField(max_length=10)
    clerk = models.CharField(max_length=40)
    paused_until = models.CharField(max_length=40)
    ticket = models.CharField(max_length=40)
    armed = models.CharField(max_length=40)
    armed_at = models.DateTimeField(null=True)
    acted_at = models.DateTimeField(null=True)
    day = models.CharField(max_length=10)
    boot = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["device", "counter"], name="one_desk_a_counter")]


class Fact(models.Model):
    """What else a device's events say, the last word by key; `value` depends on the kind.

    `kind` is poster (key: its code), dossiers, boot (key: its name; how far its own clock is from the true time, and
    before that is known the number of its first event on a guess), applied or refused (key: office or board, the
    documents).
    """

    site = models.ForeignKey(Site, models.PROTECT)
    device = models.ForeignKey(Device, models.PROTECT)
    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=80)
    value = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["device", "kind", "key"], name="one_fact_a_key")]
        indexes: ClassVar = [models.Index(fields=["kind", "key"], name="facts_key")]


class Refusal(models.Model):
    """Presses that got no number, by reason."""

    site = models.ForeignKey(Site, models.PROTECT)
    device = models.ForeignKey(Device, models.PROTECT)
    day = models.DateField()
    service = models.CharField(max_length=40)
    reason = models.CharField(max_length=40)
    n = models.IntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "day", "service", "reason"], name="one_refusal_a_reason")
        ]


class Sums(models.Model):
    """What visits add up to, for one `key` of a `dim`.

    `waits` and `services` are counts by whole minutes, {"3": 12, …}: medians and percentiles of any period are made
    of them. Tickets stand under the service that they were taken for, and under the counter and clerk that they were
    last at; the hour is that of issue. A service that was only implied is left out of `services`.
    """

    dim = models.CharField(max_length=8)
    key = models.CharField(max_length=40)
    issued = models.IntegerField()
    priority = models.IntegerField()
    served = models.IntegerField()
    no_show = models.IntegerField()
    cancelled = models.IntegerField()
    closed = models.IntegerField()
    transfers = models.IntegerField()
    holds = models.IntegerField()
    waits = models.JSONField()
    services = models.JSONField()

    class Meta:
        abstract = True


class Rollup(Sums):
    """Sums of one day at a site, for `dim` all, service, counter, clerk or hour with `key` (of all: "")."""

    site = models.ForeignKey(Site, models.PROTECT)
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "day", "dim", "key"], name="one_rollup_a_key")]
        # The last two are for arrivals, which are read of so many rows that the index alone must have them.
        indexes: ClassVar = [models.Index(fields=["site", "dim", "day", "key", "issued"], name="rollups_by_dim")]


class RatingRollup(models.Model):
    """How many ratings of a day are alike. `flags` is "" for those that count; others are left out and counted apart.

    A rating that another took the place of ("replaced") is in no row; one that does not count for its ticket beside
    another one has the flags "second". `late` as in a Rating.
    """

    site = models.ForeignKey(Site, models.PROTECT)
    day = models.DateField()
    session = models.CharField(max_length=40)
    service = models.CharField(max_length=40)
    counter = models.CharField(max_length=8)
    clerk = models.CharField(max_length=40)
    label_set = models.CharField(max_length=40)
    level = models.SmallIntegerField()
    flags = models.CharField(max_length=80)
    late = models.DateField(null=True)
    n = models.IntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["site", "day"], name="rating_rollups_day")]


class ReasonRollup(models.Model):
    """How often a reason was ticked on a day, with ratings that count; `late` as in a Rating."""

    site = models.ForeignKey(Site, models.PROTECT)
    day = models.DateField()
    label_set = models.CharField(max_length=40)
    reason = models.CharField(max_length=20)
    late = models.DateField(null=True)
    n = models.IntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["site", "day"], name="reason_rollups_day")]


class Dirty(models.Model):
    """A day of a site whose rollups are to be made again. `failed` is when that was tried last and could not be."""

    site = models.ForeignKey(Site, models.CASCADE)
    day = models.DateField()
    failed = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "day"], name="one_dirty_day")]


class Comment(models.Model):
    """What a citizen wrote. It comes beside the feed and is deleted after 90 days, unless it is kept to be handled; the
    row goes with the tickets of its day.

    `text` None: the words have not come yet, or are gone. `kept_by` keeps it (giữ để xử lý) until `result` is written;
    `answer` is the public line (Ông/Bà góp ý - xã đã làm) that a leader wrote.
    """

    id = models.CharField(max_length=40, primary_key=True)
    site = models.ForeignKey(Site, models.PROTECT)
    device = models.ForeignKey(Device, models.PROTECT)
    day = models.DateField()
    ticket = models.CharField(max_length=40)
    counter = models.CharField(max_length=8)
    clerk = models.CharField(max_length=40)
    rating = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    text = models.TextField(null=True)
    salt = models.CharField(max_length=64, blank=True, default="")
    gone = models.BooleanField(default=False)
    kept_by = models.CharField(max_length=120, blank=True, default="")
    kept_at = models.DateTimeField(null=True)
    result = models.TextField(blank=True, default="")
    answer = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["site", "day"], name="comments_site_day")]
