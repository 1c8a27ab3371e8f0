"""Arrivals of many sites are read from the index alone: the rows of an hour carry what nobody asks for then."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("facts", "0008_late_ratings")]

    operations: ClassVar = [
        migrations.RemoveIndex("rollup", "rollups_by_dim"),
        migrations.AddIndex(
            "rollup", models.Index(fields=["site", "dim", "day", "key", "issued"], name="rollups_by_dim")
        ),
    ]
