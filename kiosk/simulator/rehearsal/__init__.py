"""A whole day of an office, rehearsed against the real processes: `kiosk demo --day`."""
