"""Follow the log of a Job over the restarts and retries of its pods.

1. Find the attempt at the cursor, or the one that follows if that was read.
2. Read on in its log behind the place in the cursor. A place that the kubelet no longer has is a gap.
3. Continue with the next attempt when this one is final and was read to its end.
4. Without anything new, wait for the log of a running container, or for a change of the Job, and begin again.

A gap is always at the beginning of a response: what was read before it is a response of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from chalicelib.domain.errors import JobNotStarted, LogGone, NodeUnavailable
from chalicelib.domain.job.log_attempts import next_attempt
from chalicelib.domain.job.log_cursor import START, parse_cursor
from chalicelib.domain.job.log_format import LogPart, hold_back
from chalicelib.domain.job.log_stream import LogStream
from chalicelib.domain.job.logs import LOG_GONE, check_index
from chalicelib.usecases.attempt_log import AttemptLog
from chalicelib.usecases.get_job import pods_by_job, require_job

if TYPE_CHECKING:
    from chalicelib.domain.job.log_attempts import Attempt
    from chalicelib.domain.job.log_cursor import LogCursor
    from chalicelib.domain.job.log_query import LogQuery
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.get_job import JobChanges
    from chalicelib.usecases.ports import Jobs, LogReader, Pods


class FollowedLog(NamedTuple):
    """What follows in a log: at most one *gap* and then *parts*; *cursor* is where the next response begins."""

    parts: list[LogPart]
    cursor: LogCursor | None
    gap: str | None
    is_complete: bool


class Ports(msgspec.Struct, frozen=True):
    """The ports of a follower."""

    jobs: Jobs
    pods: Pods
    logs: LogReader
    changes: JobChanges


class LogRequest(NamedTuple):
    """What is followed, and in which format."""

    project: ProjectName
    name: JobName
    query: LogQuery
    content_type: str


def follow_log(request: LogRequest, ports: Ports) -> FollowedLog:
    """Return what follows the cursor of the query, at most its limit of bytes, once there is something."""
    project, name, query, _ = request
    cursor = parse_cursor(query.cursor or START)
    while True:
        job = require_job(project, name, ports.jobs)
        check_index(job, query.index)
        own = pods_by_job(ports.pods.of_job(project, job, query.index))[job.metadata.uid]
        follower = _Follower(request, job, own, ports.logs)
        found = follower.collect(cursor)
        if found.parts or found.gap or found.is_complete or not query.wait:
            return found
        waiting = follower.waiting
        if not (
            ports.logs.wait(project, waiting.run, LogStream(waiting.cursor.place, follower.held_back + 1))
            if waiting
            else ports.changes.wait(project, name, job.metadata.resource_version)
        ):
            return found
        cursor = found.cursor


class _Follower:
    """Reads what the kubelets have of the log of *job* now."""

    def __init__(self, request: LogRequest, job: Job, pods: list[Pod], logs: LogReader) -> None:
        self._request, self._job, self._pods, self._logs = request, job, pods, logs
        self._left = request.query.limit_bytes
        self._parts: list[LogPart] = []
        self._gap: str | None = None
        self.waiting: Attempt | None = None
        """The running attempt whose log has nothing more than the bytes that are *held_back*."""
        self.held_back = 0

    def collect(self, cursor: LogCursor | None) -> FollowedLog:
        """Return what follows *cursor*; LogGone if the Job has finished and none of its log is left."""
        while True:
            step = next_attempt(self._job, self._pods, self._request.query, cursor)
            if step.gap and self._parts:
                return self._found(cursor)
            self._gap = self._gap or step.gap
            if step.attempt is None:
                if cursor is None and step.is_complete and not self._pods:
                    raise LogGone(LOG_GONE)
                return self._found(cursor, is_complete=step.is_complete)
            cursor, goes_on = self._read_or_skip(step.attempt)
            if not goes_on:
                return self._found(cursor)

    def _found(self, cursor: LogCursor | None, *, is_complete: bool = False) -> FollowedLog:
        return FollowedLog(self._parts, cursor, self._gap, is_complete)

    def _read_or_skip(self, attempt: Attempt) -> tuple[LogCursor, bool]:
        """Read on in the log of *attempt*; if it is lost, that is a gap, and the next attempt may follow."""
        try:
            return self._read(attempt)
        except JobNotStarted:
            is_lost = attempt.is_final  # the kubelet has removed the container
        except LogGone:
            is_lost = True
        except NodeUnavailable:
            if not self._parts:
                raise
            is_lost = False
        if self._parts or not is_lost:
            return attempt.cursor, False
        self._gap = self._gap or "log_gone"
        return replace(attempt.cursor, is_read=True), True

    def _read(self, attempt: Attempt) -> tuple[LogCursor, bool]:
        """Read on in the log of *attempt*; return the cursor behind it, and whether the next attempt may follow."""
        log = AttemptLog(self._request.project, attempt, self._logs, self._left, may_skip=not self._parts)
        stream, is_whole = log.read()
        self._gap = self._gap or log.gap
        is_whole &= not stream.is_full
        if not (is_whole and attempt.is_final):
            self.held_back = hold_back(stream, self._request.content_type)
        if stream.pieces:
            self._left -= sum(len(piece.content) for piece in stream.pieces)
            self._parts.append(LogPart(attempt.run.pod, attempt.completion_index, stream.pieces))
        cursor = replace(attempt.cursor, place=stream.end)
        if is_whole and attempt.is_running:
            self.waiting = attempt._replace(cursor=cursor)
        goes_on = is_whole and attempt.is_final and log.is_end(stream)
        return replace(cursor, is_read=goes_on), goes_on and self._left > 0
