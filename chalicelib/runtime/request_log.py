"""One JSON line for each request, to standard output: a log event and, in the same line, metrics (CloudWatch EMF)."""

from __future__ import annotations

import itertools
import json
import sys
import time
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMESPACE = "ResearcherAPI"
FAILED = 500

_lines = itertools.count()


def write_request(
    function: str,
    counts: Mapping[str, int] | None = None,
    /,
    *,
    status: int,
    milliseconds: float,
    attempts: Sequence[float] = (),
    **event: object,
) -> None:
    """Writes the line of one request that *function* answered, and of its *attempts* to reach the cluster, in seconds.

    *counts* become metrics of its own. Fields without a value are left out.
    """
    told = {name: value for name, value in event.items() if value is not None}
    spent = {"attempts": len(attempts), "clusterMilliseconds": round(sum(attempts) * 1000, 1)}
    cold = {"cold": next(_lines) == 0}
    line = {"event": "request", "function": function, "status": status, **told, **spent, **cold}
    line |= _metrics(status, milliseconds, counts or {})
    # In ASCII, whatever text a request brought, half a surrogate pair too.
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _metrics(status: int, milliseconds: float, counts: Mapping[str, int]) -> dict[str, object]:
    """The fields by which CloudWatch counts a request (Embedded Metric Format)."""
    counted = [{"Name": name, "Unit": "Count"} for name in ("Failures", *counts)]
    units = [{"Name": "Milliseconds", "Unit": "Milliseconds"}, *counted]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["function"]], "Metrics": units}
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "Milliseconds": round(milliseconds, 1),
        "Failures": int(status >= FAILED),
        **counts,
    }


def code_locations(error: BaseException) -> list[str]:
    """Where *error* arose and what it came from: types, files and lines. Never its text, which may hold anything."""
    here: BaseException | None = error
    found = []
    while here is not None:
        frames = traceback.extract_tb(here.__traceback__)[-3:]
        lines = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[::-1]]
        found.append(" < ".join([type(here).__name__, *lines]))
        here = here.__cause__
    return found
