from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Their ratings were bundled by rules of the release before. They are summed again at once."""
    apps.get_model("reports", "MonthSum").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_month_sums")]

    operations = [
        migrations.AddField(
            model_name="monthsum",
            name="again",
            field=models.DateField(null=True),
        ),
        migrations.RunPython(forget, migrations.RunPython.noop),
    ]
