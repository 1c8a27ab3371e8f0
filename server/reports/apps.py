"""The views for BI tools follow the tables through every migration."""

from collections.abc import Sequence

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate


class Reports(AppConfig):
    """Figures, pages and files of them."""

    name = "server.reports"

    def ready(self) -> None:
        from server.facts.rollups import day_summed
        from server.reports.months import forget

        day_summed.connect(forget)
        # Django tells only apps with tables of their own.
        facts = apps.get_app_config("facts")
        pre_migrate.connect(_drop_views, sender=facts)
        post_migrate.connect(_make_views, sender=facts)


def _drop_views(plan: Sequence[object] = (), **_: object) -> None:
    from server.reports import sql_views  # models can be imported only after all apps are there

    if plan:
        sql_views.drop()


def _make_views(plan: Sequence[object] = (), **_: object) -> None:
    from server.reports import sql_views

    if plan:
        sql_views.create()
