"""What the kiosk's main job costs, beside what the same rows cost without it (docs/benchmarks.md)."""
