"""What the attacks of tests/security came to.

`pytest tests/security --figures` records it in build/figures.json, `python -m tests.figures` writes the table in
tests/README.md from the record. A figure counts the cases of one attack on one cluster.
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

_HEAD = ("| attack | what is attacked, and holds | embedded | real | measured | run it |", "|---|---|---|---|---|---|")
_TABLE = re.compile(r"^\| attack \|.*\n(?:\|.*\n)*", re.MULTILINE)


@dataclass
class Figure:
    """One attack on one cluster: how many cases, how many of them got through, the largest of what was measured."""

    attack: str
    cluster: str
    module: str
    cases: int = 0
    failed: int = 0
    most: dict[str, float] = field(default_factory=dict)

    def add(self, other: Figure) -> None:
        """Counts *other*, of the same attack, too."""
        self.cases += other.cases
        self.failed += other.failed
        self.most |= {what: max(amount, self.most.get(what, 0)) for what, amount in other.most.items()}


def record(figures: Iterable[Figure], path: Path = RECORD) -> None:
    """Puts *figures* into the record, in place of older ones of the same attack and cluster."""
    kept = {(one.attack, one.cluster): one for one in [*recorded(path), *figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in kept.values()], indent=1) + "\n", encoding="utf-8")


def recorded(path: Path = RECORD) -> list[Figure]:
    """The figures on record."""
    return [Figure(**one) for one in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def table(figures: Iterable[Figure]) -> str:
    """The figures as a table: a row for each attack."""
    found = {(one.attack, one.cluster): one for one in figures}
    rows = [
        _row(attack, {name: found[attack, name] for name in CLUSTERS if (attack, name) in found}) for attack in ATTACKS
    ]
    return "\n".join([*_HEAD, *rows]) + "\n"


def rows(text: str) -> list[str]:
    """The attacks that the table in *text* has rows for."""
    found = _TABLE.search(text)
    return re.findall(r"^\| `([a-z]+)`", found[0], re.MULTILINE) if found else []


def main() -> None:
    """Writes the table."""
    README.write_text(_TABLE.sub(lambda _: table(recorded()), README.read_text(encoding="utf-8")), encoding="utf-8")


def cluster() -> str:
    """The cluster of this run."""
    return os.environ.get("CLUSTER") or CLUSTERS[0]


def _row(attack: str, by_cluster: Mapping[str, Figure]) -> str:
    cells = [_cases(by_cluster.get(name)) for name in CLUSTERS]
    most: dict[str, float] = {}
    for one in by_cluster.values():
        most |= {what: max(amount, most.get(what, 0)) for what, amount in one.most.items()}
    measured = "; ".join(f"{what} {amount:,.4g}" for what, amount in most.items()) or "-"
    module = next((one.module for one in by_cluster.values()), "not run")
    return f"| `{attack}` | {ATTACKS[attack]} | {' | '.join(cells)} | {measured} | `pytest {module}` |"


def _cases(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{figure.cases:,}, {figure.failed or 'none'} failed"


if __name__ == "__main__":
    main()
