"""What runs in a measured process: it answers requests, and tells what they took. It imports nothing but its subject.

`python worker.py module:function` reads lists of requests, a line of JSON each, and writes a line for each list.
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
    """Answers until there is no more to read."""
    # What the subject prints, such as its log, is written too, to nowhere.
    with os.fdopen(os.dup(1), "w") as told, Path(os.devnull).open("w", encoding="utf-8") as sys.stdout:
        module, _, function = sys.argv[1].partition(":")
        subject = getattr(importlib.import_module(module), function)
        for line in sys.stdin:
            told.write(json.dumps(measured(subject, json.loads(line))) + "\n")
            told.flush()


def measured(subject: Callable[[Any], object], requests: list[Any]) -> dict[str, Any]:
    """Milliseconds of each of *requests* and of the processor for all, the peak of memory in MB, and the answers."""
    wall, answers = [], []
    begun = time.process_time()
    for request in requests:
        asked = time.perf_counter()
        answers.append(subject(request))
        wall.append((time.perf_counter() - asked) * 1000)
    return {"wall": wall, "cpu": (time.process_time() - begun) * 1000, "peak": peak(), "answers": answers}


def peak() -> float:
    """MB of memory that this process has held at most; what getrusage tells begins with its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 10**6


if __name__ == "__main__":
    main()
