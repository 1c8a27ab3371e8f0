"""The raw events as they came, byte for byte. Nothing here is ever changed but the mark of quarantine."""

from typing import ClassVar

from django.db import models


class Counter(models.Model):
    """The server's own number for its readers, in one row that is locked: a cursor over it misses nothing.

    A cursor over an identity column would miss rows that are committed out of order.
    """

    one = models.SmallIntegerField(primary_key=True)
    num = models.BigIntegerField()


class Head(models.Model):
    """How far the server has a device's epoch: the last number, and the chain's hash there."""

    device = models.CharField(max_length=64)
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["device", "epoch"], name="one_head_an_epoch")]


class Event(models.Model):
    """One line of a feed. `quarantined` says why it does not fit, None for a good one; `received` is in Unix ms."""

    num = models.BigIntegerField(primary_key=True)
    device = models.CharField(max_length=64)
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField()
    id = models.CharField(max_length=40, unique=True)
    type = models.CharField(max_length=60)
    line = models.BinaryField()
    quarantined = models.CharField(max_length=200, null=True)
    received = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["device", "epoch", "seq"], name="one_event_a_number")]
        indexes: ClassVar = [
            models.Index(fields=["num"], name="events_in_quarantine", condition=models.Q(quarantined__isnull=False))
        ]
