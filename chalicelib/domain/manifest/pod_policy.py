"""The number of pods of a Job, and how their failures are handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import INDEXED, Manifest

if TYPE_CHECKING:
    from chalicelib.domain.submission.fields import Retry
    from chalicelib.domain.submission.model import Submission

BACKOFF_LIMIT = 6
CONTAINER = "main"
"""The name of the only container of a pod, whose exit code the failure policy evaluates."""


def pod_counts(submission: Submission) -> Manifest:
    """Return the spec fields for the number of pods, indexes and retries; None means Kubernetes' default."""
    # With a limit for each index, a common limit would fail the Job after a few failed indexes.
    per_index = submission.backoff_limit_per_index is not None
    backoff_limit = None if per_index else BACKOFF_LIMIT
    return {
        "parallelism": submission.nodes or submission.parallelism,
        "completions": submission.nodes or submission.completions or submission.parallelism,
        "completionMode": INDEXED if submission.indexed or submission.nodes else "NonIndexed",
        "backoffLimit": backoff_limit if submission.backoff_limit is None else submission.backoff_limit,
        "backoffLimitPerIndex": submission.backoff_limit_per_index,
        "maxFailedIndexes": submission.max_failed_indexes,
        "podFailurePolicy": _policy(submission.retry, "FailIndex" if per_index else "FailJob"),
    }


def _policy(retry: Retry | None, failing: str) -> Manifest | None:
    """Return the podFailurePolicy of *retry*; *failing* is the action for an exit code that is not retried."""
    if retry is None:
        return None
    # This rule comes first: otherwise the exit code of an evicted pod would count as its program's.
    disrupted = [{"type": "DisruptionTarget", "status": "True"}]
    rules: list[Manifest] = [
        {"action": "Ignore" if retry.ignore_disruptions else "Count", "onPodConditions": disrupted}
    ]
    if retry.exit_codes:
        # The API server requires the values to be sorted and unique.
        not_retried = {"containerName": CONTAINER, "operator": "NotIn", "values": sorted(set(retry.exit_codes))}
        rules.append({"action": failing, "onExitCodes": not_retried})
    return {"rules": rules}
