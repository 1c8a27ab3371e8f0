"""The server's own feed at a site: what phones say here becomes events, like everything else."""

from django.db import models

from server.registry.models import Device, Site


class OwnFeed(models.Model):
    """The device under whose name the server keeps events of its own. It has no token, so nobody can speak for it."""

    site = models.OneToOneField(Site, models.PROTECT, related_name="own_feed")
    device = models.OneToOneField(Device, models.PROTECT, related_name="own_feed")
