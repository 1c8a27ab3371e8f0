from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    """The table of the cache in which wrong passwords are counted."""
    call_command("createcachetable", "sign_in_tries", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
