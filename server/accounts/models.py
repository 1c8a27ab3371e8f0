"""People with an account, by role and commune, and the audit of what they did."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from server.registry.models import Site, Unit


class Role(models.TextChoices):
    """What somebody may do. An operator runs the server for all communes; a province viewer reads all, changes none."""

    OPERATOR = "operator"
    VIEWER = "viewer"
    ADMIN = "admin"
    LEADER = "leader"
    TECHNICIAN = "technician"
    CLERK = "clerk"


COMMAND_LINE = "kiosk-server"
"""In the audit, who did what an operator does at the server's command line; no account can have that name."""


class UserManager(BaseUserManager["User"]):
    """Accounts by their name, in lower case."""

    def is_taken(self, username: str) -> bool:
        """Whether no new account can have this name."""
        return username == COMMAND_LINE or self.filter(username=username).exists()

    def create_user(self, username: str, password: str | None, **fields: Any) -> "User":
        """A new account; without a password nobody signs in with it. Raises IntegrityError for a name that is taken."""
        user = self.model(username=username.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Raises User.DoesNotExist, also for a name that a database cannot even be asked for (PostgreSQL and NUL)."""
        if "\0" in (username or ""):
            raise self.model.DoesNotExist
        return self.get(username=(username or "").strip().lower())


class User(AbstractBaseUser):
    """An account. `unit` is None for operators and province viewers; `site` and `clerk` name a clerk's own figures.

    `first_password` says that somebody else made its password: nothing opens before it is changed.
    """

    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=12, choices=Role.choices)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True)
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True)
    clerk = models.CharField(max_length=40, blank=True, default="")
    language = models.CharField(max_length=8, blank=True, default="")
    is_active = models.BooleanField(default=True)
    first_password = models.BooleanField(default=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="unit_by_role",
                condition=models.Q(role__in=["operator", "viewer"], unit=None)
                | models.Q(role__in=["admin", "leader", "technician", "clerk"], unit__isnull=False),
            )
        ]

    def units(self) -> models.QuerySet[Unit]:
        """The communes whose figures this person may see."""
        return Unit.objects.filter(pk=self.unit_id) if self.unit_id else Unit.objects.all()


class Audit(models.Model):
    """One thing that somebody did or read: `what` is a dotted word, `about` says to what."""

    at = models.DateTimeField()
    who = models.CharField(max_length=60)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True)
    what = models.CharField(max_length=40)
    about = models.CharField(max_length=300)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["unit", "-id"])]
