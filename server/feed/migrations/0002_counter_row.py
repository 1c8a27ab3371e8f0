from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("feed", "0001_initial")]
    operations = [migrations.RunSQL("INSERT INTO feed_counter (one, num) VALUES (1, 0)", migrations.RunSQL.noop)]
