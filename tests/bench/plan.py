"""How long and where the benchmarks run."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """`folder` is on the disk that is measured; `quick` runs all with few repetitions, to test the code."""

    folder: Path
    quick: bool = False

    def count(self, full: int, quick: int) -> int:
        """How often."""
        return quick if self.quick else full

    def seconds(self, full: float, quick: float) -> float:
        """How long."""
        return quick if self.quick else full

    def place(self, name: str) -> Path:
        """A new folder."""
        folder = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        return folder
