"""What a commune has decided to publish, the periods that it froze, and what is counted by hand."""

from typing import Any, ClassVar

from django.db import models

from server.registry.models import Site, Unit


class Setting(models.Model):
    """What the public page of a reception point shows. Nothing is public before a leader has switched it on."""

    site = models.OneToOneField(Site, models.CASCADE, related_name="publication")
    on = models.BooleanField(default=False)
    counts = models.BooleanField(default=True)
    waits = models.BooleanField(default=True)
    dossiers = models.BooleanField(default=True)
    satisfaction = models.BooleanField(default=True)
    frozen = models.BooleanField(default=True)
    answers = models.BooleanField(default=True)
    clerks = models.BooleanField(default=False)


PARTS = ("counts", "waits", "dossiers", "satisfaction", "frozen", "answers", "clerks")
"""The figures that can be switched, by their field and word in the language files."""


class Frozen(models.Model):
    """A period of a commune, or of one of its reception points, whose figures a leader froze (chốt số liệu).

    `key` opens it to everybody who has it; `period` is a `periods.Period.key`. `checked` is the day on which later
    differences were looked for last.
    """

    key = models.CharField(max_length=26, unique=True)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="frozen")
    site = models.ForeignKey(Site, models.PROTECT, null=True)
    period = models.CharField(max_length=24)
    first = models.DateField()
    last = models.DateField()
    title = models.CharField(max_length=120, blank=True, default="")
    checked = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["unit", "period"], condition=models.Q(site=None), name="one_frozen_period_a_unit"
            ),
            models.UniqueConstraint(fields=["site", "period"], name="one_frozen_period_a_site"),
        ]


class Revision(models.Model):
    """Figures as they stood: number 0 as they were frozen, n as they were adjusted the n-th time. Never changed.

    `content` is JSON (see content.py), `sha256` of its bytes; `by` is who froze it, "" when the server found late
    events by itself.
    """

    frozen = models.ForeignKey(Frozen, models.PROTECT, related_name="revisions")
    number = models.IntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=120, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["frozen", "number"], name="one_revision_a_number")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new one; what was frozen is never written over."""
        if self.pk is not None:
            raise TypeError("a revision is never changed")
        super().save(*args, **kwargs)


class Letters(models.Model):
    """How many letters of a kind a commune wrote in a month (`month` is its first day), counted by hand."""

    unit = models.ForeignKey(Unit, models.CASCADE)
    month = models.DateField()
    kind = models.CharField(max_length=16)
    n = models.IntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "month", "kind"], name="one_count_a_month_and_kind")
        ]
