"""How many pods a Job makes, and what their failures mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import INDEXED, Manifest

if TYPE_CHECKING:
    from chalicelib.domain.submission.fields import Retry
    from chalicelib.domain.submission.model import Submission

BACKOFF_LIMIT = 6
CONTAINER = "main"
"""The one container of a pod, whose exit code says how the pod ended."""


def pod_counts(submission: Submission) -> Manifest:
    """The fields of the Job's spec that count pods, indexes and failures; None where Kubernetes' default holds."""
    # Beside limits of their own for the indexes, one for all of them would end the Job after a few bad ones.
    own_limits = submission.backoff_limit_per_index is not None
    backoff_limit = None if own_limits else BACKOFF_LIMIT
    return {
        "parallelism": submission.nodes or submission.parallelism,
        "completions": submission.nodes or submission.completions or submission.parallelism,
        "completionMode": INDEXED if submission.indexed or submission.nodes else "NonIndexed",
        "backoffLimit": backoff_limit if submission.backoff_limit is None else submission.backoff_limit,
        "backoffLimitPerIndex": submission.backoff_limit_per_index,
        "maxFailedIndexes": submission.max_failed_indexes,
        "podFailurePolicy": _policy(submission.retry, "FailIndex" if own_limits else "FailJob"),
    }


def _policy(retry: Retry | None, failing: str) -> Manifest | None:
    """The rules of *retry*; *failing* is what becomes of an exit code that is not among them."""
    if retry is None:
        return None
    # First, or the exit code of a pod that was evicted would count as its program's own.
    disrupted = [{"type": "DisruptionTarget", "status": "True"}]
    rules: list[Manifest] = [
        {"action": "Ignore" if retry.ignore_disruptions else "Count", "onPodConditions": disrupted}
    ]
    if retry.exit_codes:
        # Kubernetes wants the values in order and each of them once.
        others = {"containerName": CONTAINER, "operator": "NotIn", "values": sorted(set(retry.exit_codes))}
        rules.append({"action": failing, "onExitCodes": others})
    return {"rules": rules}
