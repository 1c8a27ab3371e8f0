"""The server's settings for the demo: one more address, which signs in without a password."""

from server.settings import *  # noqa: F403

ROOT_URLCONF = "kiosk.simulator.commune_urls"
