"""The log of a pod that runs on paper, and what a kubelet gives out of it. Pure: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]

LOG_VARIABLE = "SIMULATE_LOG"
"""The environment variable whose lines are what its container prints."""
BETWEEN_LINES = timedelta(milliseconds=10)

_WAITS = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


class NoLogError(Exception):
    """There is none; its text is the kubelet's."""


@dataclass(frozen=True)
class LogOptions:
    """What is asked of a log."""

    tail_lines: int | None = None
    since_seconds: int | None = None
    limit_bytes: int | None = None
    previous: bool = False
    timestamps: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> LogOptions:
        """As *query* asks; ValueError where it has no number."""
        numbers = {name: int(query[name]) if name in query else None for name in NUMBERS}
        flags = {name: query.get(name) in ("true", "1") for name in ("previous", "timestamps")}
        return cls(numbers["tailLines"], numbers["sinceSeconds"], numbers["limitBytes"], **flags)


NUMBERS = {"tailLines": 0, "sinceSeconds": 1, "limitBytes": 1}
"""The numbers that a log is asked by, and the least that each may be."""


def read_log(pod: Document, container: str, wanted: LogOptions, now: datetime) -> bytes:
    """What a kubelet answers who asks for the log of *container*; NoLogError when that has not run."""
    start = _start(pod, container, previous=wanted.previous)
    lines = [(start + number * BETWEEN_LINES, line) for number, line in enumerate(_simulated_lines(pod, container))]
    if wanted.since_seconds is not None:
        lines = [line for line in lines if line[0] >= now - timedelta(seconds=wanted.since_seconds)]
    if wanted.tail_lines is not None:
        lines = lines[max(0, len(lines) - wanted.tail_lines) :]
    text = "".join((f"{_nanoseconds(when)} " if wanted.timestamps else "") + f"{line}\n" for when, line in lines)
    return text.encode()[: wanted.limit_bytes]


def _start(pod: Document, container: str, *, previous: bool) -> datetime:
    """When the container began, or the one before its restart."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    status: Document = next((one for one in statuses if one["name"] == container), {})
    if previous:
        ended = status.get("lastState", {}).get("terminated")
        if not ended:
            name = pod["metadata"]["name"]
            raise NoLogError(f'previous terminated container "{container}" in pod "{name}" not found')
        return _time(ended["startedAt"])
    state = status.get("state", {})
    if begun := state.get("running") or state.get("terminated"):
        return _time(begun["startedAt"])
    reason = state.get("waiting", {}).get("reason", "ContainerCreating")
    waits = _WAITS.get(reason, reason)
    raise NoLogError(f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: {waits}')


def _simulated_lines(pod: Document, name: str) -> list[str]:
    """The lines that the container is told to print; else what it would run, and how far it came."""
    container: Document = next(one for one in pod["spec"]["containers"] if one["name"] == name)
    told = [one.get("value", "") for one in container.get("env", []) if one["name"] == LOG_VARIABLE]
    if told:
        return str(told[0]).splitlines()
    command = " ".join([*container.get("command", []), *container.get("args", [])])
    return [
        f"{pod['metadata']['name']} runs on paper: nothing is executed.",
        f"$ {command or container['image']}",
        *(f"epoch {epoch} of 3: loss {1 / epoch:.3f}" for epoch in (1, 2, 3)),
    ]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _nanoseconds(moment: datetime) -> str:
    """As a kubelet writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z"
