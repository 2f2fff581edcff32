"""The request log: one JSON line for each request on standard output, with CloudWatch metrics embedded (EMF)."""

from __future__ import annotations

import itertools
import json
import sys
import time
import traceback
from typing import TYPE_CHECKING

from chalicelib.settings import stack_name

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
    """Write the line of one request to *function*.

    Args:
        function: the name of the function.
        counts: additional metrics.
        status: the HTTP status.
        milliseconds: the duration of the request.
        attempts: the duration of each attempt to reach the cluster, in seconds.
        event: additional fields; None is left out.
    """
    fields = {name: value for name, value in event.items() if value is not None}
    cluster = {"attempts": len(attempts), "clusterMilliseconds": round(sum(attempts) * 1000, 1)}
    cold = {"cold": next(_lines) == 0}
    names = {"stack": stack_name(), "function": function}
    line = {"event": "request", **names, "status": status, **fields, **cluster, **cold}
    line |= _metrics(status, milliseconds, counts or {})
    # json escapes all but ASCII, so that a lone surrogate from a request can be written, too.
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _metrics(status: int, milliseconds: float, counts: Mapping[str, int]) -> dict[str, object]:
    """Return the metrics of a request in CloudWatch's Embedded Metric Format."""
    counted = [{"Name": name, "Unit": "Count"} for name in ("Failures", *counts)]
    units = [{"Name": "Milliseconds", "Unit": "Milliseconds"}, *counted]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["stack", "function"]], "Metrics": units}
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "Milliseconds": round(milliseconds, 1),
        "Failures": int(status >= FAILED),
        **counts,
    }


def code_locations(error: BaseException) -> list[str]:
    """Return type, files and lines of *error* and its causes; never its text, which may contain a secret."""
    current: BaseException | None = error
    locations = []
    while current is not None:
        frames = traceback.extract_tb(current.__traceback__)[-3:]
        lines = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[::-1]]
        locations.append(" < ".join([type(current).__name__, *lines]))
        current = current.__cause__
    return locations
