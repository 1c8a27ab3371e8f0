"""What the screens show (`model`, data only) and how it is drawn (everything else here, pygame)."""

import os
import sys

# Before anything imports pygame: its greeting does not belong into a service's log.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

# Where setuptools is installed, pygame loads its pkg_resources (30 ms, 8 MB) only to find a font and an icon that we do
# not use, and with its mixer the libraries of twenty sound formats (5 MB); it does without when the import fails.
# Nothing else in the kiosk wants them.
for _name in ("pkg_resources", "pygame.mixer", "pygame.mixer_music"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]
