"""What was measured, what it should be, and how both are shown. Knows nothing of the kiosk."""

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Explain = Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound: `at_most`, else at least."""

    bound: float
    at_most: bool = True

    def met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {shown(self.bound)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `name` is BENCH.PART; `profile` says, in lines, where a missed goal's time goes."""

    name: str
    says: str
    value: float
    unit: str
    goal: Goal | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    profile: Explain | None = None

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        return self.goal.met(self.value) if self.goal else None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        goal = str(self.goal) if self.goal else None
        fields = {"name": self.name, "says": self.says, "value": round(self.value, 4), "unit": self.unit}
        return {**fields, "goal": goal, "met": self.met, **self.detail}


def shown(value: float) -> str:
    """Three digits are more than any of these figures is sure of."""
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """A table that reads well as text and as Markdown."""
    verdict = {None: "", True: "met", False: "**missed**"}
    rows = [["Figure", "What", "Value", "Goal", ""]]
    for figure in figures:
        value = f"{shown(figure.value)} {figure.unit}".rstrip()
        rows.append([figure.name, figure.says, value, str(figure.goal or ""), verdict[figure.met]])
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(c.ljust(w) for c, w in zip(row, widths, strict=True))} |" for row in rows)


def machine(folder: Path) -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "file system": _file_system(folder),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.machine()


def _file_system(folder: Path) -> str:
    """Type of the mount with the longest path that holds the folder."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [(point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(holding, key=lambda mount: len(mount[0]), default=("", "unknown"))[1]


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
