"""The benchmarks: what the kiosk's main job costs, beside what the same rows cost without it. See docs/benchmarks.md."""
