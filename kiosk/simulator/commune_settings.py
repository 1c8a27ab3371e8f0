"""The server's settings for the demo, which is for this computer alone: one more address signs in with no password."""

from server.settings import *  # noqa: F403

ROOT_URLCONF = "kiosk.simulator.commune_urls"
SAYS_ONLY_HERE = False
