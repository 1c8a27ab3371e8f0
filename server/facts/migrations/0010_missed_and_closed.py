"""Numbers whose citizen missed the call count as missed, also when the next morning has closed them: sum their days again."""

from typing import Any, ClassVar

from django.db import migrations


def sum_again(apps: Any, schema_editor: Any) -> None:
    """The worker sums them, and the months that they are in."""
    ticket, dirty = apps.get_model("facts", "Ticket"), apps.get_model("facts", "Dirty")
    missed = ticket.objects.filter(state="closed", missed_at__isnull=False, calls__gt=0)
    # Not by DISTINCT, for which SQLite would look each ticket up in the order of an index.
    days = set(missed.order_by().values_list("site_id", "day").iterator())
    dirty.objects.bulk_create([dirty(site_id=site, day=day) for site, day in days], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("facts", "0009_arrivals_by_index")]

    operations: ClassVar = [migrations.RunPython(sum_again, migrations.RunPython.noop)]
