"""The indexes of an Indexed Job: which have succeeded or failed, and the last attempt of each.

The cluster counts succeeded indexes, and failed ones if the Job has a limit for each index (`backoffLimitPerIndex`).
Without that limit an index has failed if the Job has, and its last pod with it. What is only in pods is null when these
are gone.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import msgspec

from chalicelib.domain.errors import InvalidPageToken
from chalicelib.domain.job.containers import main_status
from chalicelib.domain.job.outcome_record import ExitCode  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.job.status import trouble
from chalicelib.domain.job.status_reason import failed_container, failed_exit_code, termination_reason
from chalicelib.domain.job.view import Count, Milliseconds, milliseconds
from chalicelib.domain.kubernetes.completion_indexes import MAX_INDEX, index_of, indexes
from chalicelib.domain.kubernetes.jobs import INDEXED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

IndexStatus = Literal["failed", "succeeded", "unfinished"]
FAILURE_COUNTS = ("batch.kubernetes.io/job-index-failure-count", "batch.kubernetes.io/job-index-ignored-failure-count")
"""Annotations of a pod: how many pods of its index failed before it, if the Job has a limit for each index."""


class IndexQuery(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The filter and the page of a list of indexes."""

    status: Annotated[IndexStatus, msgspec.Meta(description="Only indexes with this status.")] | None = None
    limit: Annotated[int, msgspec.Meta(description="Maximum number of indexes in the page.", ge=1, le=500)] = 100
    page_token: (
        Annotated[
            str,
            msgspec.Meta(description="`nextPageToken` of the previous page.", pattern="^[0-9]{1,10}$", max_length=10),
        ]
        | None
    ) = None


class IndexView(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """An index and its last attempt. Times are in milliseconds since 1970; null is what the cluster does not know."""

    index: Annotated[Count, msgspec.Meta(description="The completion index.")]
    status: Annotated[IndexStatus, msgspec.Meta(description="Whether it has succeeded or failed.")]
    attempts: Annotated[Count | None, msgspec.Meta(description="The number of its pods until now.")]
    exit_code: Annotated[ExitCode | None, msgspec.Meta(description="The exit code of its last pod.")]
    reason: Annotated[str | None, msgspec.Meta(description="Why its last pod failed or waits, in one word.")]
    pod: Annotated[str | None, msgspec.Meta(description="Its last pod.")]
    node: Annotated[str | None, msgspec.Meta(description="The node of its last pod.")]
    started_at: Annotated[Milliseconds | None, msgspec.Meta(description="When its last pod started.")]
    finished_at: Annotated[Milliseconds | None, msgspec.Meta(description="When its last pod succeeded or failed.")]


INDEX_EXAMPLE = {
    "index": 3,
    "status": "failed",
    "attempts": 2,
    "exitCode": 137,
    "reason": "OOMKilled",
    "pod": "shards-3-x7k2p",
    "node": "ip-10-0-3-17.eu-west-1.compute.internal",
    "startedAt": 1795510801000,
    "finishedAt": 1795514401000,
}


class Indexes(NamedTuple):
    """The completion indexes of a Job by status."""

    completions: int
    succeeded: Collection[int]
    failed: Collection[int]

    def status(self, index: int) -> IndexStatus:
        """Return the status of *index*."""
        if index in self.succeeded:
            return "succeeded"
        return "failed" if index in self.failed else "unfinished"


def counts_failed_indexes(job: Job) -> bool:
    """Return whether the status of *job* has its failed indexes, so that no pods are needed to find them."""
    decision = job.finished or job.ending
    has_failed = decision is not None and decision.type in ("Failed", "FailureTarget")
    return job.status.failed_indexes is not None or not has_failed


def job_indexes(job: Job, failed_pods: Sequence[Pod]) -> Indexes:
    """Return the indexes of *job*; *failed_pods* are needed unless `counts_failed_indexes`."""
    if job.spec.completion_mode != INDEXED:
        return Indexes(0, (), ())
    completions = max(0, min(job.spec.completions or 0, MAX_INDEX))
    succeeded = indexes(job.status.completed_indexes or "")
    failed = indexes(job.status.failed_indexes or "")
    if not counts_failed_indexes(job):
        failed = {index for pod in failed_pods if (index := index_of(pod)) is not None}
    return Indexes(completions, succeeded, failed - succeeded)


def index_page(found: Indexes, query: IndexQuery) -> tuple[list[int], str | None]:
    """Return the indexes of the page of *query*, and the token of the next one; InvalidPageToken if there is none."""
    start = int(query.page_token or 0)
    if query.page_token and start >= found.completions:
        raise InvalidPageToken("The page token does not belong to this list. Start again without it.")
    candidates: Iterable[int] = range(start, found.completions)
    if query.status in ("failed", "succeeded"):
        known = found.failed if query.status == "failed" else found.succeeded
        candidates = sorted(index for index in known if start <= index < found.completions)
    elif query.status:
        candidates = (index for index in candidates if found.status(index) == query.status)
    page = list(islice(candidates, query.limit + 1))
    return page[: query.limit], str(page[-1]) if len(page) > query.limit else None


def index_view(job: Job, index: int, status: IndexStatus, pods: Sequence[Pod]) -> IndexView:
    """Return the view of *index*; *pods* are those of its pods that still exist."""
    phase = {"succeeded": "Succeeded", "failed": "Failed"}.get(status)
    last = max([pod for pod in pods if pod.status.phase == phase] or pods, key=_age, default=None)
    why = (termination_reason(job, last) or trouble(job, last)) if last and status != "succeeded" else None
    exit_code = None if last is None or status == "unfinished" else failed_exit_code(job, last)
    return IndexView(
        index=index,
        status=status,
        attempts=_attempts(pods),
        exit_code=0 if status == "succeeded" else exit_code,
        reason=why.reason if why else None,
        pod=last.metadata.name if last else None,
        node=last.spec.node_name if last else None,
        started_at=milliseconds(last.status.start_time) if last else None,
        finished_at=milliseconds(_finished_at(job, last)) if last else None,
    )


def _age(pod: Pod) -> tuple[str, str]:
    return str(pod.metadata.creation_timestamp), pod.metadata.name


def _attempts(pods: Sequence[Pod]) -> int | None:
    """Return the number of pods of an index: those that exist, or more by the counts in their annotations."""
    before = (sum(_number(pod.metadata.annotations.get(key)) for key in FAILURE_COUNTS) for pod in pods)
    return max(len(pods), 1 + max(before)) if pods else None


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_INDEX)) else 0


def _finished_at(job: Job, pod: Pod) -> datetime | None:
    """Return when *pod* ended: the end of the container that failed, else of the main one."""
    if not pod.has_ended:
        return None
    main = main_status(job, pod)
    failed = None if pod.status.phase == "Succeeded" else failed_container(job, pod)
    end = main.state.terminated if main else None
    return (failed and failed.since) or (end.finished_at if end else None)
