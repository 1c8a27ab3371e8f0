"""What the screens show (`model`, data only) and how it is drawn (everything else here, pygame)."""
