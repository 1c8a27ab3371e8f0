from django.db import migrations


class Migration(migrations.Migration):
    """The views v_tickets, v_ratings and v_days. `server.reports.sql_views` makes them after every migration, and drops
    them before: a table that a view reads could not be changed."""

    dependencies = [
        ("facts", "0003_rebuilds"),
        ("registry", "0002_trouble_between_server_and_kiosk"),
    ]

    operations = []
