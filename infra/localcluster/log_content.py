"""The log of a simulated pod, and the part of it that a kubelet returns. Pure: values in, values out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from infra.localcluster.pod_status import ENDED, statuses_of
from infra.localcluster.simulated_log import printed_lines, since_rotation
from infra.localcluster.simulation import pod_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Document = dict[str, Any]

FOLLOW_SECONDS = 0.1
"""How often a log that is followed is read again."""

_WAITING_MESSAGES = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


class NoLogError(Exception):
    """There is no log; the text of the exception is the kubelet's message."""


class NodeUnreachableError(Exception):
    """The node of the pod does not respond."""


@dataclass(frozen=True)
class LogOptions:
    """The parameters of a log request."""

    tail_lines: int | None = None
    since_seconds: int | None = None
    limit_bytes: int | None = None
    previous: bool = False
    timestamps: bool = False
    since_time: datetime | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> LogOptions:
        """Parse *query*; raise ValueError if a number is invalid."""
        numbers = {name: int(query[name]) if name in query else None for name in NUMBERS}
        flags = {name: query.get(name) in ("true", "1") for name in ("previous", "timestamps")}
        since = _parse_time(query["sinceTime"]) if "sinceTime" in query else None
        return cls(numbers["tailLines"], numbers["sinceSeconds"], numbers["limitBytes"], **flags, since_time=since)


NUMBERS = {"tailLines": 0, "sinceSeconds": 1, "limitBytes": 1}
"""The numeric parameters of a log request and their minimum values."""


def read_log(pod: Document, container: str, options: LogOptions, now: datetime) -> bytes:
    """Return the log of *container* as a kubelet does; raise NoLogError if it has not run, or NodeUnreachableError."""
    if _is_unreachable(pod):
        raise NodeUnreachableError
    run = _run(pod, container, previous=options.previous)
    start, end = _parse_time(run["startedAt"]), _parse_time(run["finishedAt"]) if "finishedAt" in run else now
    lines = since_rotation(pod, container, printed_lines(pod, container, start, end))
    if options.since_seconds is not None:
        lines = [line for line in lines if line[0] >= now - timedelta(seconds=options.since_seconds)]
    if options.since_time is not None:
        lines = [line for line in lines if line[0] >= options.since_time]
    if options.tail_lines is not None:
        lines = lines[max(0, len(lines) - options.tail_lines) :]
    text = "".join((f"{_nanoseconds(when)} " if options.timestamps else "") + f"{line}\n" for when, line in lines)
    return text.encode()[: options.limit_bytes]


def follow(read: Callable[[], tuple[Document, bytes]]) -> Iterator[bytes]:
    """Yield the log that *read* returns with its pod, and what is added to it, until the pod has ended.

    After a rotation, the new file follows.
    """
    known = b""
    while True:
        pod, log = read()
        added = log.removeprefix(known)
        if added:
            yield added
        known = log
        if pod["status"].get("phase") in ENDED or "deletionTimestamp" in pod["metadata"]:
            return
        time.sleep(FOLLOW_SECONDS)


def _is_unreachable(pod: Document) -> bool:
    ready = next((each for each in pod["status"].get("conditions", ()) if each["type"] == "Ready"), None)
    return pod_outcome(pod) == "node-unreachable" and ready is not None and ready["status"] == "False"


def _run(pod: Document, container: str, *, previous: bool) -> Document:
    """Return the state of the container, or of its previous run."""
    status: Document = statuses_of(pod).get(container, {})
    if previous:
        terminated: Document | None = status.get("lastState", {}).get("terminated")
        if not terminated:
            name = pod["metadata"]["name"]
            raise NoLogError(f'previous terminated container "{container}" in pod "{name}" not found')
        return terminated
    state: Document = status.get("state", {})
    started: Document | None = state.get("running") or state.get("terminated")
    if started:
        return started
    reason = state.get("waiting", {}).get("reason", "ContainerCreating")
    message = _WAITING_MESSAGES.get(reason, reason)
    raise NoLogError(f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: {message}')


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _nanoseconds(moment: datetime) -> str:
    """Return *moment* in the format of the kubelet."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z"
