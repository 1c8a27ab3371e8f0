"""What the screens show (`model`, data only) and how it is drawn (everything else here, pygame)."""

import os

# Before anything imports pygame: its greeting does not belong into a service's log.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
