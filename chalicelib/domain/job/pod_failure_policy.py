"""The pod that a PodFailurePolicy names in the condition of a Job that it failed.

The message is that of the Job controller (pkg/controller/job/pod_failure_policy.go). It remains when the pod is gone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job

_POD = r"[^ /]{1,253}/([a-z0-9][-.a-z0-9]{0,252})"
_EXIT = re.compile(
    rf"Container [^ ]{{1,253}} for pod {_POD} failed with exit code (-?[0-9]{{1,10}}) matching .*", re.DOTALL
)
_CONDITION = re.compile(rf"Pod {_POD} has condition .*", re.DOTALL)


class PolicyFailure(NamedTuple):
    """The pod that matched a rule, and the exit code of its container; None if the rule is about a condition."""

    pod: str
    exit_code: int | None


def policy_failure(job: Job) -> PolicyFailure | None:
    """Return the failure that decided the end of *job* by its PodFailurePolicy; None if something else did."""
    decision = job.finished or job.ending
    if decision is None or decision.reason != "PodFailurePolicy":
        return None
    message = decision.message or ""
    if exited := _EXIT.fullmatch(message):
        return PolicyFailure(exited[1], int(exited[2]))
    disrupted = _CONDITION.fullmatch(message)
    return PolicyFailure(disrupted[1], None) if disrupted else None
