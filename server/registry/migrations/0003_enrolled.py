from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def count_from_now(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """When a kiosk that has not spoken yet got its token is not known: it is silent from the upgrade on."""
    unheard = apps.get_model("registry", "Device").objects.filter(seen=None, revoked=False)
    unheard.exclude(token="", pull_token="").update(enrolled=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_trouble_between_server_and_kiosk")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="enrolled",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(count_from_now, migrations.RunPython.noop),
    ]
