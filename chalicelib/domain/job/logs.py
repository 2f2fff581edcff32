"""Which log is meant: of the Job's pods and their containers one, by its query; and the end of it as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.errors import FieldError, JobNotStarted, LogGone, MalformedRequest
from chalicelib.domain.job.status_reason import StatusReason, reason_of
from chalicelib.domain.kubernetes.jobs import INDEXED
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import ContainerStatus, Pod

MAX_BYTES = 1_000_000
"""Lambda's answers end at 6 MB of JSON, which writes a control character, or a broken byte, as six."""
MAX_LINES = 100_000
MAX_INDEX = 2**31 - 1
LOG_GONE = (
    "The pod is gone, and its log with it. "
    "Get the Job for how it ended; your platform engineers may keep logs elsewhere."
)

_CONTAINER = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


class LogQuery(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Which log, and how much of it."""

    tail: Annotated[int, msgspec.Meta(description="How many lines, the last ones.", ge=1, le=MAX_LINES)] = 1000
    since_seconds: (
        Annotated[int, msgspec.Meta(description="Only lines that are not older.", ge=1, le=31_536_000)] | None
    ) = None
    limit_bytes: Annotated[
        int, msgspec.Meta(description="How many bytes at most, the last ones.", ge=1, le=MAX_BYTES)
    ] = 262_144
    index: (
        Annotated[
            int, msgspec.Meta(description="Of which pod of an Indexed Job: its completion index.", ge=0, le=MAX_INDEX)
        ]
        | None
    ) = None
    container: (
        Annotated[
            str,
            msgspec.Meta(description="Of which container; by default the first.", pattern=_CONTAINER, max_length=63),
        ]
        | None
    ) = None
    previous: Annotated[
        bool,
        msgspec.Meta(
            description="Of the attempt before: the container before its restart, else the last other pod that failed."
        ),
    ] = False
    timestamps: Annotated[bool, msgspec.Meta(description="Begin each line with its time.")] = False


class ContainerRun(msgspec.Struct, frozen=True):
    """A run of *container* in the pod *pod*; *restarted* means the one before the container's last restart."""

    pod: str
    container: str
    restarted: bool = False


def select_attempt(job: Job, pods: Sequence[Pod], query: LogQuery) -> ContainerRun:
    """The attempt that *query* means: of a pod that runs rather than of one that ended, and then of the newest.

    MalformedRequest names what there is, JobNotStarted says why there is nothing yet, LogGone that it is over.
    """
    _check_index(job, query.index)
    found = [pod for pod in pods if query.index is None or index_of(pod) == query.index]
    container = _container(found, query.container)
    attempts = list(_runs(found, container))
    if not attempts:
        raise _why_no_log(job, found)
    if not query.previous:
        return attempts[0]
    if len(attempts) == 1:
        raise LogGone("There was no attempt before this one, or its pod is gone. Ask without previous.")
    return attempts[1]


def index_of(pod: Pod) -> int | None:
    """The completion index of *pod*, or None outside of an Indexed Job."""
    text = pod.metadata.annotations.get(COMPLETION_INDEX_ANNOTATION, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_INDEX)) else None


def tail_bytes(log: bytes, limit: int) -> str:
    """At most the last *limit* bytes of *log* as text, from the start of a line where there is one."""
    end = log[-limit:]
    if len(end) < len(log):
        _, _, whole_lines = log[-limit - 1 :].partition(b"\n")
        end = whole_lines or end
    return end.decode(errors="replace")


def _runs(pods: Sequence[Pod], container: str) -> Iterator[ContainerRun]:
    """Every run of *container* whose log there may be; after the first only those that are over."""
    started = sorted((pod for pod in pods if _has_started(pod, container)), key=_rank, reverse=True)
    for number, pod in enumerate(started):
        if number == 0 or pod.status.phase == "Failed":
            yield ContainerRun(pod.metadata.name, container)
            if _restarts(pod, container):
                yield ContainerRun(pod.metadata.name, container, restarted=True)


def _rank(pod: Pod) -> tuple[bool, str, str]:
    return pod.status.phase == "Running", str(pod.metadata.creation_timestamp), pod.metadata.name


def _has_started(pod: Pod, container: str) -> bool:
    status = _status(pod, container)
    if status is None:
        return pod.status.phase in ("Running", "Succeeded", "Failed") and not _statuses(pod)
    return bool(status.state.running or status.state.terminated or status.last_state.terminated)


def _restarts(pod: Pod, container: str) -> bool:
    status = _status(pod, container)
    return bool(status and status.restart_count and status.last_state.terminated)


def _status(pod: Pod, container: str) -> ContainerStatus | None:
    return next((status for status in _statuses(pod) if status.name == container), None)


def _statuses(pod: Pod) -> list[ContainerStatus]:
    return [*pod.status.init_container_statuses, *pod.status.container_statuses]


def _container(pods: Sequence[Pod], wanted: str | None) -> str:
    """The container to read; where there are no pods any name will do, as there is nothing to read."""
    specs = [pod.spec for pod in pods[:1]]
    main = [container.name for spec in specs for container in spec.containers]
    names = [*main, *(container.name for spec in specs for container in spec.init_containers)]
    if wanted and names and wanted not in names:
        raise _invalid("/container", f"must be one of {', '.join(names)}")
    return wanted or next(iter(main), "")


def _check_index(job: Job, index: int | None) -> None:
    if index is None:
        return
    if job.spec.completion_mode != INDEXED:
        raise _invalid("/index", "is for Indexed Jobs, and this is none")
    completions = job.spec.completions or 0
    if index >= completions:
        raise _invalid("/index", f"must be between 0 and {completions - 1}")


def _why_no_log(job: Job, pods: Sequence[Pod]) -> JobNotStarted | LogGone:
    if job.finished:
        return LogGone(LOG_GONE)
    reason = StatusReason("Suspended", "It waits to be resumed.") if job.spec.suspend else reason_of(job, pods)
    why = f"{reason.word}: {reason.message}".rstrip(": .") if reason else "Its pod is on its way"
    return JobNotStarted(f"No container of the Job has started. {why}. Ask again later, or ask for its diagnosis.")


def _invalid(pointer: str, message: str) -> MalformedRequest:
    return MalformedRequest("The Job has no such log; errors names the parameter.", (FieldError(pointer, message),))
