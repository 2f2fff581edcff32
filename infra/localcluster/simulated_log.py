"""What a simulated container prints, and the file that the kubelet has of it since its last rotation. Pure."""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from infra.localcluster.pod_status import containers, init_containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Document = dict[str, Any]
Line = tuple[datetime, str]

LOG_VARIABLE = "SIMULATE_LOG"
"""The environment variable that sets the lines that its container prints.

`generated-N` are N bytes of random lines at once; `growing-N` are N bytes each second while the container runs.
"""
SIZE_VARIABLE = "SIMULATE_LOG_MAX_SIZE"
"""The environment variable that sets the `containerLogMaxSize` of its container."""
MAX_SIZE = 10 * 2**20
"""The kubelet's default of `containerLogMaxSize`."""
LINES_PER_INSTANT = 3
"""Several lines have the same timestamp."""
BETWEEN_INSTANTS = timedelta(milliseconds=10)
_GENERATED = re.compile(r"generated-([0-9]{1,9})")
_GROWING = re.compile(r"growing-([0-9]{1,9})")


def printed_lines(pod: Document, container: str, start: datetime, end: datetime) -> Iterator[Line]:
    """Yield the lines that *container* has printed in a run from *start* to *end*, with their times."""
    text = _variable(pod, container, LOG_VARIABLE)
    growing = _GROWING.fullmatch(text or "")
    lines = growing_lines(int(growing[1])) if growing else _lines_at_once(pod, container, text)
    timed = ((start + number // LINES_PER_INSTANT * BETWEEN_INSTANTS, line) for number, line in enumerate(lines))
    return takewhile(lambda line: line[0] <= end, timed) if growing else timed


def since_rotation(pod: Document, container: str, lines: Iterable[Line]) -> list[Line]:
    """Return those of *lines* that are in the last file: one that has the maximum size gets no further lines."""
    text = _variable(pod, container, SIZE_VARIABLE) or ""
    maximum = int(text) if text.isdecimal() and int(text) else MAX_SIZE
    file: list[Line] = []
    size = 0
    for line in lines:
        if size >= maximum:
            file, size = [], 0
        file.append(line)
        size += len(line[1].encode()) + 1
    return file


def growing_lines(size: int) -> Iterator[str]:
    """Yield numbered lines, *size* bytes of them in a second."""
    length = size * BETWEEN_INSTANTS // timedelta(seconds=1) // LINES_PER_INSTANT
    return (f"line {number} ".ljust(length - 1, "x") for number in count())


def generated_lines(seed: str, size: int) -> list[str]:
    """Return lines of random lengths, some of them very long, together *size* bytes and a line more at most."""
    randomness, lines = random.Random(seed), []  # noqa: S311 - the same log at every request
    letters = "".join(randomness.choices("abcdefghijklmnopqrstuvwxyz äß€", k=4096)) * 16
    while size > 0:
        start = randomness.randrange(4096)
        lines.append(letters[start : start + randomness.choice([0, 10, 80, 80, 80, 4000, 60_000])])
        size -= len(lines[-1].encode()) + 1
    return lines


def _lines_at_once(pod: Document, name: str, text: str | None) -> list[str]:
    """Return the lines of *text*; without it, the command and some progress."""
    if generated := _GENERATED.fullmatch(text or ""):
        return generated_lines(pod["metadata"]["name"], int(generated[1]))
    if text is not None:
        return text.splitlines()
    container = _container(pod, name)
    command = " ".join([*container.get("command", []), *container.get("args", [])])
    return [
        f"{pod['metadata']['name']} is simulated: nothing is executed.",
        f"$ {command or container['image']}",
        *(f"epoch {epoch} of 3: loss {1 / epoch:.3f}" for epoch in (1, 2, 3)),
    ]


def _variable(pod: Document, container: str, name: str) -> str | None:
    values = [each.get("value", "") for each in _container(pod, container).get("env", []) if each["name"] == name]
    return str(values[0]) if values else None


def _container(pod: Document, name: str) -> Document:
    every = [*init_containers(pod), *containers(pod)]
    container: Document = next(each for each in every if each["name"] == name)
    return container
