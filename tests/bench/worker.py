"""The script of a measured process: it handles requests and reports their durations, and imports only its target.

`python worker.py module:function` reads lists of requests, one line of JSON each, and writes a line for each list.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Handle lists of requests until the standard input ends."""
    # The target's own output, such as its log, is written to the null device.
    with os.fdopen(os.dup(1), "w") as results, Path(os.devnull).open("w", encoding="utf-8") as sys.stdout:
        module, _, function = sys.argv[1].partition(":")
        target = getattr(importlib.import_module(module), function)
        for line in sys.stdin:
            results.write(json.dumps(measure(target, json.loads(line))) + "\n")
            results.flush()


def measure(target: Callable[[Any], object], requests: list[Any]) -> dict[str, Any]:
    """Return milliseconds of each request, CPU milliseconds of all, peak memory in MB, and the responses."""
    wall, responses = [], []
    cpu_started = time.process_time()
    for request in requests:
        started = time.perf_counter()
        responses.append(target(request))
        wall.append((time.perf_counter() - started) * 1000)
    return {"wall": wall, "cpu": (time.process_time() - cpu_started) * 1000, "peak": peak(), "responses": responses}


def peak() -> float:
    """Return the peak memory of this process in MB; getrusage would include that of the parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 10**6


if __name__ == "__main__":
    main()
