"""When a Job first ran, and how long it was queued.

A Job starts when the program of one of its pods first runs: not when its pods are created or wait for a node or an
image, which is what the `startTime` of Kubernetes says. A retried or replaced pod does not change the start. Suspending
a Job deletes its pods, so that a resumed Job starts again.

Only the pods know the start. It is unknown, and null, if pods that ran are not there any more or were not read. When a
finished Job is announced, its start is stored in an annotation, with which a list needs no pods of finished Jobs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.job.containers import main_status
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.labels import STARTED_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.kubernetes.pods import Pod

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What the kubelet reports as the start of a container that could not be started."""
_MILLISECONDS = re.compile(r"[0-9]{1,14}")
PROMPT = timedelta(seconds=60)
"""Within this time, a Job that starts gets its first pods."""


def first_run(job: Job, pods: Sequence[Pod]) -> datetime | None:
    """Return when a pod of *job* first ran, since it was last resumed; None if it has not run, or if this is unknown.

    Args:
        job: the Job.
        pods: those of its pods that are known.
    """
    stored = job.metadata.annotations.get(STARTED_ANNOTATION, "")
    if job.finished and _MILLISECONDS.fullmatch(stored):
        return _EPOCH + timedelta(milliseconds=int(stored))
    if job.spec.suspend or _are_missing(job, pods):
        return None
    starts = [_program_start(job, pod) for pod in pods if _has_run(job, pod)]
    known = [start for start in starts if start]
    return min(known, default=None) if len(known) == len(starts) else None


def queued_seconds(job: Job, started_at: datetime | None) -> int | None:
    """Return the whole seconds until *started_at* from the creation of *job*, or from when its user resumed it."""
    since = job.metadata.creation_timestamp
    for condition in job.status.conditions:
        # A queue suspends and resumes its Jobs, too; they are queued all the time.
        if condition.type == "Suspended" and not condition.is_true and QUEUE_LABEL not in job.metadata.labels:
            since = condition.last_transition_time or since
    if since is None or started_at is None:
        return None
    return max(0, int((started_at - since).total_seconds()))


def started_annotation(job: Job, pods: Sequence[Pod]) -> Manifest:
    """Return the annotation with the start of the finished *job*, or nothing if the start is unknown."""
    start = first_run(job, pods)
    return {} if start is None else {STARTED_ANNOTATION: str(max(0, (start - _EPOCH) // timedelta(milliseconds=1)))}


def _are_missing(job: Job, pods: Sequence[Pod]) -> bool:
    """Return whether pods that may have run are not among *pods*."""
    status = job.status
    if len(pods) < sum(max(0, count or 0) for count in (status.succeeded, status.failed, status.active)):
        return True
    if not job.spec.pod_failure_policy.ignores_failures:
        return False
    # A pod whose failure is ignored is not counted, and it may be gone.
    created = [pod.metadata.creation_timestamp for pod in pods if pod.metadata.creation_timestamp]
    return bool(created) and status.start_time is not None and min(created) - status.start_time > PROMPT


def _has_run(job: Job, pod: Pod) -> bool:
    main = main_status(job, pod)
    if main is None:
        return pod.status.reason == "Evicted"  # some kubelets drop the containers of an evicted pod
    return bool(main.restart_count) or next(_ends_and_starts(job, pod), None) is not None


def _program_start(job: Job, pod: Pod) -> datetime | None:
    """Return when the program of *pod* first started; None if it was restarted so often that this is not known."""
    main = main_status(job, pod)
    starts = list(_ends_and_starts(job, pod))
    return min(starts, default=None) if main and (main.restart_count or 0) < len(starts) else None


def _ends_and_starts(job: Job, pod: Pod) -> Iterator[datetime]:
    """Yield the starts of the program of *pod* that the cluster remembers: of this run and of the one before it."""
    main = main_status(job, pod)
    for state in (main.state, main.last_state) if main else ():
        run = state.running or state.terminated
        if run and run.started_at and run.started_at > _EPOCH:
            yield run.started_at
