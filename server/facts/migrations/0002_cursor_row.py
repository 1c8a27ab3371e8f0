from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("facts", "0001_initial")]
    operations = [migrations.RunSQL("INSERT INTO facts_cursor (one, num) VALUES (1, 0)", migrations.RunSQL.noop)]
