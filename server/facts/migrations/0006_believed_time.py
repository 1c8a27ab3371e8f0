from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("facts", "0005_days_that_fail"),
    ]

    operations = [
        migrations.AddField(
            model_name="cursor",
            name="seen",
            field=models.DateTimeField(null=True),
        ),
    ]
