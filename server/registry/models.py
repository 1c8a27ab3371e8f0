"""Communes, their reception points, and the kiosks that stand there with what each may do here."""

from typing import ClassVar

from django.db import models


class Unit(models.Model):
    """A commune (xã, phường, đặc khu), by its official code; `name` is the present one, see UnitName."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)


class UnitName(models.Model):
    """How a commune was called from a day on: reports of a time carry the name of then."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="names")
    name = models.CharField(max_length=200)
    valid_from = models.DateField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["unit", "valid_from"], name="one_name_a_day")]


class Site(models.Model):
    """A reception point (điểm tiếp nhận). `key` is its id in the office document."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="sites")
    key = models.CharField(max_length=40)
    name = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["unit", "key"], name="one_site_a_key")]


class Mode(models.TextChoices):
    """How a kiosk's events come here: it pushes, the server fetches, or somebody carries a stick."""

    PUSH = "push"
    PULL = "pull"
    FILE = "file"


class Device(models.Model):
    """A kiosk. `name` is its id in the feed; tokens are kept as SHA-256 only, `pull_token` encrypted.

    `next_token` is valid beside `token` until its first use. `epoch`, `head` and `status` are what its last batch said;
    `seen` is when. `enrolled` is when it got its newest token, or the server one from it. `rebuild` asks for its facts
    to be made again from its events. `trouble` is what is wrong between the two, last seen at `trouble_at`:
    `server.registry.trouble`.
    """

    name = models.CharField(max_length=64, unique=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="devices")
    label = models.CharField(max_length=120, blank=True, default="")
    mode = models.CharField(max_length=4, choices=Mode.choices, default=Mode.PUSH)
    token = models.CharField(max_length=64, blank=True, default="")
    next_token = models.CharField(max_length=64, blank=True, default="")
    revoked = models.BooleanField(default=False)
    pull_url = models.CharField(max_length=200, blank=True, default="")
    pull_pin = models.CharField(max_length=95, blank=True, default="")
    pull_token = models.TextField(blank=True, default="")
    epoch = models.CharField(max_length=16, blank=True, default="")
    head = models.BigIntegerField(default=0)
    status = models.JSONField(default=dict)
    seen = models.DateTimeField(null=True)
    enrolled = models.DateTimeField(null=True)
    rebuild = models.BooleanField(default=False)
    trouble = models.JSONField(default=dict)
    trouble_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["token"]), models.Index(fields=["next_token"])]


class EnrolCode(models.Model):
    """A one-time code with which a kiosk of a site gets its token. Only its hash is kept; `tries` are wrong guesses."""

    site = models.ForeignKey(Site, models.CASCADE)
    device = models.ForeignKey(Device, models.CASCADE, null=True)
    code = models.CharField(max_length=64)
    label = models.CharField(max_length=120, blank=True, default="")
    made = models.DateTimeField()
    tries = models.IntegerField(default=0)
    used = models.BooleanField(default=False)


class Integrator(models.Model):
    """A program of somebody else that may read a commune's figures; `unit` None: all communes."""

    name = models.CharField(max_length=120)
    unit = models.ForeignKey(Unit, models.CASCADE, null=True)
    token = models.CharField(max_length=64, unique=True)
    made = models.DateTimeField()
    revoked = models.BooleanField(default=False)
