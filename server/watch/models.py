"""Alarms, whom they are told to, and how far the telling is."""

from typing import ClassVar

from django.db import models

from server.registry.models import Device, Unit


class Target(models.Model):
    """Whom the alarms of a commune are told to: mail addresses, one a line, and an https address.

    The webhook's secret is derived from the server's own and `round`, and kept nowhere: another round, another secret.
    """

    unit = models.OneToOneField(Unit, models.CASCADE)
    mails = models.TextField(blank=True, default="")
    url = models.CharField(max_length=300, blank=True, default="")
    round = models.IntegerField(default=1)


class Alarm(models.Model):
    """One trouble of a kiosk from its beginning to its end (None: it lasts).

    `kind`, `key` and `values` are those of `server.registry.health.Finding`, as it was when it was bad last. `told`
    says that it lasted long enough to be told.
    """

    device = models.ForeignKey(Device, models.CASCADE)
    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=20)
    values = models.JSONField(default=dict)
    began = models.DateTimeField()
    told = models.BooleanField(default=False)
    ended = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "kind"], condition=models.Q(ended=None), name="one_open_alarm_a_kind"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["-began"], name="alarms_began")]


class Way(models.TextChoices):
    """How somebody is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Edge(models.TextChoices):
    """What is told: that an alarm began, that it ended, or that telling works."""

    BEGUN = "begun"
    ENDED = "ended"
    TEST = "test"


class Notice(models.Model):
    """Something to be told. `due` is when it is tried next, None when it is done or given up; `problem` is what went
    wrong last, as `server.watch.problems` keeps it."""

    unit = models.ForeignKey(Unit, models.CASCADE)
    alarm = models.ForeignKey(Alarm, models.CASCADE, null=True)
    way = models.CharField(max_length=8, choices=Way.choices)
    edge = models.CharField(max_length=6, choices=Edge.choices)
    made = models.DateTimeField()
    due = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    done = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["due"], name="notices_due", condition=models.Q(due__isnull=False)),
            models.Index(fields=["unit", "-id"], name="notices_of_a_unit"),
        ]
