"""The results of the attacks in tests/security.

`pytest tests/security --figures` records them in build/figures.json, and `python -m tests.figures` writes the table in
tests/README.md from that record. A figure counts the cases of one attack on one cluster.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.security.attacks import ATTACKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "build" / "figures.json"
README = Path(__file__).parent / "README.md"
CLUSTERS = ("embedded", "real")

_HEAD = ("| attack | what holds under the attack | embedded | real | measured | run it |", "|---|---|---|---|---|---|")
_TABLE = re.compile(r"^\| attack \|.*\n(?:\|.*\n)*", re.MULTILINE)


@dataclass
class Figure:
    """One attack on one cluster: the number of cases, of failures, and the largest value of each measurement."""

    attack: str
    cluster: str
    module: str
    cases: int = 0
    failed: int = 0
    largest: dict[str, float] = field(default_factory=dict)

    def add(self, other: Figure) -> None:
        """Add the counts of *other*, of the same attack."""
        self.cases += other.cases
        self.failed += other.failed
        self.largest |= {what: max(amount, self.largest.get(what, 0)) for what, amount in other.largest.items()}


def record(figures: Iterable[Figure], path: Path = RECORD) -> None:
    """Merge *figures* into the record; they replace older ones of the same attack and cluster."""
    merged = {(each.attack, each.cluster): each for each in [*load(path), *figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(each) for each in merged.values()], indent=1) + "\n", encoding="utf-8")


def load(path: Path = RECORD) -> list[Figure]:
    """Return the recorded figures."""
    return [Figure(**each) for each in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def table(figures: Iterable[Figure]) -> str:
    """Return the table of *figures*, with a row for each attack."""
    found = {(each.attack, each.cluster): each for each in figures}
    rows = [
        _row(attack, {name: found[attack, name] for name in CLUSTERS if (attack, name) in found}) for attack in ATTACKS
    ]
    return "\n".join([*_HEAD, *rows]) + "\n"


def rows(text: str) -> list[str]:
    """Return the attacks in the rows of the table in *text*."""
    found = _TABLE.search(text)
    return re.findall(r"^\| `([a-z]+)`", found[0], re.MULTILINE) if found else []


def main() -> None:
    """Write the table."""
    README.write_text(_TABLE.sub(lambda _: table(load()), README.read_text(encoding="utf-8")), encoding="utf-8")


def cluster() -> str:
    """Return the name of the cluster of this run."""
    return os.environ.get("CLUSTER") or CLUSTERS[0]


def _row(attack: str, by_cluster: Mapping[str, Figure]) -> str:
    cells = [_cases(by_cluster.get(name)) for name in CLUSTERS]
    most: dict[str, float] = {}
    for figure in by_cluster.values():
        most |= {what: max(amount, most.get(what, 0)) for what, amount in figure.largest.items()}
    measured = "; ".join(f"{what} {amount:,.4g}" for what, amount in most.items()) or "-"
    module = next((figure.module for figure in by_cluster.values()), "not run")
    return f"| `{attack}` | {ATTACKS[attack]} | {' | '.join(cells)} | {measured} | `pytest {module}` |"


def _cases(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{figure.cases:,}, {figure.failed or 'none'} failed"


if __name__ == "__main__":
    main()
