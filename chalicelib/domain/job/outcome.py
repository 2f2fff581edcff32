"""The outcome of a Job: the exit code of the container that decided it, and the pod that failed.

The pod that decides is the first of these:

1. the pod that the Job's condition names, if a PodFailurePolicy failed the Job;
2. the recorded one, if the Job was announced: not all of its pods may still exist;
3. of the pods that were running together at the last attempt, the one that failed first (see `first_failure`).

What is not known is None: the exit code of a container on a lost node, or of a pod that is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain.job.outcome_record import recorded_outcome
from chalicelib.domain.job.pod_failure_policy import policy_failure
from chalicelib.domain.job.status_reason import failed_exit_code, first_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod


class Outcome(NamedTuple):
    """The exit code and the failed pod of a Job; both None before its end is decided, or if they are not known."""

    exit_code: int | None = None
    failed_pod: str | None = None


def outcome(job: Job, pods: Sequence[Pod]) -> Outcome:
    """Return the outcome of *job*; *pods* are those of its pods that still exist."""
    decision = job.finished or job.ending
    if decision is None:
        return Outcome()
    if decision.type in ("Complete", "SuccessCriteriaMet"):
        return Outcome(None if job.spec.completions == 0 else 0)  # a Job without pods is complete at once
    known = _recorded_failure(job) or _failure(job, pods)
    named = policy_failure(job)
    if named is None:
        return known
    exit_code = known.exit_code if known.failed_pod == named.pod else None
    return Outcome(exit_code if named.exit_code is None else named.exit_code, named.pod)


def _recorded_failure(job: Job) -> Outcome | None:
    """Return the recorded outcome if it names the pod that failed."""
    record = recorded_outcome(job)
    return Outcome(record.exit_code or None, record.failed_pod) if record and record.failed_pod else None


def _failure(job: Job, pods: Sequence[Pod]) -> Outcome:
    pod = first_failure(job, pods)
    return Outcome(failed_exit_code(job, pod), pod.metadata.name) if pod else Outcome()
