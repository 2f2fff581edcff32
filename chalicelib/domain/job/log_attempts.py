"""The attempts of a Job in the order in which a follower reads them: pod after pod, restart after restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from chalicelib.domain.job.log_cursor import MAX_PASSED, LogCursor
from chalicelib.domain.job.logs import ContainerRun, container_status, default_container
from chalicelib.domain.kubernetes.completion_indexes import index_of, indexes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.job.log_query import LogQuery
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod


class Attempt(NamedTuple):
    """One run of a container; *is_final* if nothing will be added to its log."""

    run: ContainerRun
    completion_index: int | None
    number: int
    is_final: bool
    is_running: bool
    cursor: LogCursor


class NextAttempt(NamedTuple):
    """The attempt to read; without one, whether the log *is_complete*. *gap* says what was lost before it."""

    attempt: Attempt | None
    gap: str | None = None
    is_complete: bool = False


def next_attempt(job: Job, pods: Sequence[Pod], query: LogQuery, cursor: LogCursor | None) -> NextAttempt:
    """Return the attempt at *cursor*, or the one that follows when it was read or is lost."""
    gap = None
    if cursor is not None:
        pod = next((pod for pod in pods if pod.metadata.name == cursor.pod), None)
        if pod is not None:
            found = _of_pod(job, pod, query, cursor)
            if found.attempt is not None or not pod.has_ended:
                return found
        gap = None if cursor.is_read else "pod_deleted"
    for pod in sorted(pods, key=_order):
        if not _is_later(pod, cursor):
            continue
        attempts = _attempts(job, pod, query, cursor)
        if attempts:
            return NextAttempt(attempts[0], gap or ("container_restarted" if attempts[0].number else None))
        if not pod.has_ended:
            return NextAttempt(None, gap)
    return NextAttempt(None, gap, _is_over(job, query.index))


def _of_pod(job: Job, pod: Pod, query: LogQuery, cursor: LogCursor) -> NextAttempt:
    """Return the attempt of the cursor's *pod* that is to be read now."""
    expected = cursor.attempt + cursor.is_read
    attempt = next((each for each in _attempts(job, pod, query, cursor) if each.number >= expected), None)
    if attempt is None:
        return NextAttempt(None)
    if attempt.number == cursor.attempt:
        return NextAttempt(attempt._replace(cursor=cursor))
    return NextAttempt(attempt, "container_restarted" if attempt.number > cursor.attempt + cursor.is_read else None)


def _attempts(job: Job, pod: Pod, query: LogQuery, cursor: LogCursor | None) -> list[Attempt]:
    """Return the attempts of *pod* whose logs the kubelet has: the last one, and the one before its restart."""
    container = query.container or default_container(job, [pod])
    status = container_status(pod, container)
    if status is None:
        started = pod.has_ended and not pod.status.container_statuses
        numbers = [(0, False, True, False)] if started else []
    else:
        state, count, before = status.state, max(0, status.restart_count or 0), status.last_state.terminated
        current = bool(state.running or state.terminated)
        is_final = bool(state.terminated) or pod.has_ended
        numbers = [(count, False, is_final, not is_final)] if current else []
        if before and (not current or count):
            numbers.insert(0, (count - current, True, True, False))
    own = _entered(pod, cursor)
    return [
        Attempt(ContainerRun(pod.metadata.name, container, restarted), index_of(pod), number, is_final, is_running,
                own.at(number))
        for number, restarted, is_final, is_running in numbers
    ]  # fmt: skip


class _Entered(NamedTuple):
    """A pod that the follower begins to read."""

    pod: str
    created: int
    passed: tuple[int, ...]

    def at(self, attempt: int) -> LogCursor:
        return LogCursor(1, self.pod, self.created, attempt, passed=self.passed)


def _entered(pod: Pod, cursor: LogCursor | None) -> _Entered:
    passed: tuple[int, ...] = ()
    if cursor is not None and cursor.created == _created(pod):
        passed = cursor.passed
        if cursor.pod != pod.metadata.name:
            passed = (*passed, crc32(cursor.pod.encode()))[-MAX_PASSED:]
    return _Entered(pod.metadata.name, _created(pod), passed)


def _is_later(pod: Pod, cursor: LogCursor | None) -> bool:
    if cursor is None:
        return True
    if _created(pod) != cursor.created:
        return _created(pod) > cursor.created
    return pod.metadata.name != cursor.pod and crc32(pod.metadata.name.encode()) not in cursor.passed


def _order(pod: Pod) -> tuple[int, int, str]:
    index = index_of(pod)
    return _created(pod), -1 if index is None else index, pod.metadata.name


def _created(pod: Pod) -> int:
    created = pod.metadata.creation_timestamp
    return max(0, int(created.timestamp())) if created else 0


def _is_over(job: Job, index: int | None) -> bool:
    """Return whether no pod will be created any more, for *index* if it is not None."""
    ended = indexes(job.status.completed_indexes or "") | indexes(job.status.failed_indexes or "")
    return bool(job.finished) or index in ended
