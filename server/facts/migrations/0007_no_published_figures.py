from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """What kiosks showed on their own boards is asked for no more: figures here are withheld in one way alone."""
    apps.get_model("facts", "Fact").objects.filter(kind="published").delete()


class Migration(migrations.Migration):
    dependencies = [("facts", "0006_believed_time")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
