"""Documents of a reception point in their versions, and photos by their hash."""

from typing import ClassVar

from django.db import models

from server.registry.models import Site


class Kind(models.TextChoices):
    """What a document is: the office with its people and rules, or what the board shows beside the queue."""

    OFFICE = "office"
    BOARD = "board"


class Document(models.Model):
    """A version, never changed. `content` is the kiosk's own JSON form, byte for byte (`Office.to_json`).

    `by` is who wrote it: a username, or the name of the kiosk that brought it along. The highest version is offered.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    version = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    at = models.DateTimeField()
    by = models.CharField(max_length=60)
    note = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "kind", "version"], name="one_document_a_version")
        ]


class Blob(models.Model):
    """A picture by its hash; the same one is kept once."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()
    type = models.CharField(max_length=40)
