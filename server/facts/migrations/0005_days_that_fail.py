from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("facts", "0004_days_that_are_gone"),
    ]

    operations = [
        migrations.AddField(
            model_name="dirty",
            name="failed",
            field=models.DateTimeField(null=True),
        ),
    ]
