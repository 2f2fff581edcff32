"""`make bench [ONLY=lists] [ROUNDS=3] [DOCS=1]`: measures, prints a table, and writes build/bench.json.

With DOCS=1 the table of a whole run is written into docs/explain/performance.md, too.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.bench import cold_start, first_answer, growth, lists, memory, parts, projects, report, size, warm
from tests.bench.artefacts import Artefacts
from tests.bench.figures import ROUNDS, as_json, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.figures import Result

    Measurement = Callable[[Artefacts, int], Iterator[Result]]

OUT = Path("build/bench.json")
MEASUREMENTS: dict[str, Measurement] = {
    "cold_start": cold_start.measured,
    "first_answer": first_answer.measured,
    "warm": warm.measured,
    "lists": lists.measured,
    "projects": projects.measured,
    "size": size.measured,
    "memory": memory.measured,
    "growth": growth.measured,
    "parts": parts.measured,
}


def main() -> int:
    """Measures everything, or only what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=MEASUREMENTS, help="one of the measurements")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="fewer only to see that it works")
    parser.add_argument("--docs", action="store_true", help="write the table into the documentation")
    given = parser.parse_args()
    if given.docs and given.only:
        parser.error("The documentation shows a whole run.")
    begun = time.monotonic()
    # The functions that run in this process write their log lines meanwhile.
    with TemporaryDirectory(prefix="bench-") as folder, redirect_stdout(io.StringIO()):
        found = list(_found(Artefacts(Path(folder)), given.rounds, given.only))
    told = report.circumstances(given.rounds, time.monotonic() - begun)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"told": told, "results": as_json(found)}, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{table(found)}\n\n" + "\n".join(told) + "\n")
    if given.docs:
        report.write(found, told)
    return 0


def _found(made: Artefacts, rounds: int, only: str | None) -> Iterator[Result]:
    for name, measured in MEASUREMENTS.items():
        if only in {None, name}:
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {name}\n")
            yield from measured(made, rounds)


if __name__ == "__main__":
    sys.exit(main())
