from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def begin(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """What was folded by now is in figures that people have seen: it counts as told in time."""
    apps.get_model("facts", "Cursor").objects.update(in_time=F("num"))


class Migration(migrations.Migration):
    dependencies = [("facts", "0007_no_published_figures")]

    operations = [
        migrations.AddField(
            model_name="cursor",
            name="in_time",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="rating",
            name="late",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="ratingrollup",
            name="late",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="reasonrollup",
            name="late",
            field=models.DateField(null=True),
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
