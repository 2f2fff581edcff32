"""`make bench [ONLY=lists] [ROUNDS=3] [DOCS=1]`: run the benchmarks, print a table, and write build/bench.json.

DOCS=1 also writes the table of a complete run into docs/explain/performance.md.
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

from tests.bench import breakdown, cold_start, first_response, lists, memory, projects, report, scaling, size, warm
from tests.bench.artefacts import Artefacts
from tests.bench.figures import ROUNDS, as_json, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.figures import Result

    Benchmark = Callable[[Artefacts, int], Iterator[Result]]

OUT = Path("build/bench.json")
BENCHMARKS: dict[str, Benchmark] = {
    "cold_start": cold_start.measure,
    "first_response": first_response.measure,
    "warm": warm.measure,
    "lists": lists.measure,
    "projects": projects.measure,
    "size": size.measure,
    "memory": memory.measure,
    "scaling": scaling.measure,
    "breakdown": breakdown.measure,
}


def main() -> int:
    """Run all benchmarks, or only the one on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, help="run one benchmark")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="fewer rounds, to test the benchmark itself")
    parser.add_argument("--docs", action="store_true", help="write the table into the documentation")
    arguments = parser.parse_args()
    if arguments.docs and arguments.only:
        parser.error("The table in the documentation must be that of a complete run.")
    started = time.monotonic()
    # The functions that run in this process write log lines to the standard output.
    with TemporaryDirectory(prefix="bench-") as folder, redirect_stdout(io.StringIO()):
        results = list(_run(Artefacts(Path(folder)), arguments.rounds, arguments.only))
    run = report.describe_run(arguments.rounds, time.monotonic() - started)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"run": run, "results": as_json(results)}, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{table(results)}\n\n" + "\n".join(run) + "\n")
    if arguments.docs:
        report.write(results, run)
    return 0


def _run(artefacts: Artefacts, rounds: int, only: str | None) -> Iterator[Result]:
    for name, measure in BENCHMARKS.items():
        if only in {None, name}:
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {name}\n")
            yield from measure(artefacts, rounds)


if __name__ == "__main__":
    sys.exit(main())
