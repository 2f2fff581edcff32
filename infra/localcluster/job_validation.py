"""Validation and defaults of batch/v1 Jobs, as the API server applies them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import INDEXED
from infra.localcluster.status_errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.localcluster.kinds import Document

MAX_NAME = 63
"""A Job's name is a label value of its pods, unless the Job has its own selector."""

_NO_LIMIT = 2**31 - 1

_DEFAULTS = {
    "parallelism": 1,
    "completionMode": "NonIndexed",
    "suspend": False,
    "manualSelector": False,
    "podReplacementPolicy": "TerminatingOrFailed",
}
_POD_DEFAULTS = {
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_COUNTS = (
    "parallelism",
    "completions",
    "backoffLimit",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)


def check(job: Document) -> None:
    """Raise StatusError 422 that lists all invalid fields of *job*."""
    causes = [{"reason": "FieldValueInvalid", "field": field, "message": message} for field, message in _errors(job)]
    if causes:
        raise invalid("Job.batch", job["metadata"]["name"], causes)


def set_defaults(job: Document) -> None:
    """Set the fields of *job* that a real API server adds; its metadata must have the UID."""
    spec, metadata = job["spec"], job["metadata"]
    if "parallelism" not in spec:
        spec.setdefault("completions", 1)  # otherwise the Job is a work queue, which completes when its pods do
    backoff_limit = _NO_LIMIT if "backoffLimitPerIndex" in spec else 6
    job["spec"] = spec = {**_DEFAULTS, "backoffLimit": backoff_limit, **spec}
    template = spec["template"]
    template["metadata"] = {**template.get("metadata", {})}
    template["spec"] = {**_POD_DEFAULTS, **template["spec"]}
    job["status"] = {}
    if not spec["manualSelector"]:
        _set_selector(spec, metadata)


def _set_selector(spec: Document, metadata: Document) -> None:
    labels = {"batch.kubernetes.io/controller-uid": metadata["uid"], "batch.kubernetes.io/job-name": metadata["name"]}
    legacy = {"controller-uid": metadata["uid"], "job-name": metadata["name"]}
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": metadata["uid"]}}
    template = spec["template"]["metadata"]
    template["labels"] = {**template.get("labels", {}), **labels, **legacy}


def _errors(job: Document) -> Iterator[tuple[str, str]]:
    spec = job.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or {}
    if spec.get("manualSelector"):
        yield from _selector_errors(spec)
    elif len(job["metadata"]["name"]) > MAX_NAME:
        yield "metadata.name", f"must be no more than {MAX_NAME} characters"
    for name in _COUNTS:
        if isinstance(spec.get(name), int) and spec[name] < 0:
            yield f"spec.{name}", f"Invalid value: {spec[name]}: must be greater than or equal to 0"
    yield from _index_errors(spec)
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        yield "spec.template.spec.restartPolicy", 'Required value: valid values: "OnFailure", "Never"'
    if not pod.get("containers"):
        yield "spec.template.spec.containers", "Required value"
    for index, container in enumerate(pod.get("containers") or ()):
        for field in ("name", "image"):
            if not container.get(field):
                yield f"spec.template.spec.containers[{index}].{field}", "Required value"


def _selector_errors(spec: Document) -> Iterator[tuple[str, str]]:
    selector = spec.get("selector")
    match_labels = (selector or {}).get("matchLabels") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if selector is None:
        yield "spec.selector", "Required value"
    elif not match_labels.items() <= labels.items():
        yield "spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`"


def _index_errors(spec: Document) -> Iterator[tuple[str, str]]:
    per_index, max_failed, completions = (
        spec.get(name) for name in ("backoffLimitPerIndex", "maxFailedIndexes", "completions")
    )
    indexed = spec.get("completionMode") == INDEXED
    if indexed and completions is None and "parallelism" in spec:  # otherwise both have defaults
        yield "spec.completions", "Required value: when completion mode is Indexed"
    if indexed and max_failed is not None and completions is not None and max_failed > completions:
        yield "spec.maxFailedIndexes", f"Invalid value: {max_failed}: must be less than or equal to completions"
    if max_failed is not None and per_index is None:
        yield "spec.backoffLimitPerIndex", "Required value: when maxFailedIndexes is specified"
    for name, value in (("backoffLimitPerIndex", per_index), ("maxFailedIndexes", max_failed)):
        if value is not None and not indexed:
            yield f"spec.{name}", f"Invalid value: {value}: requires indexed completion mode"
    for index, rule in enumerate(spec.get("podFailurePolicy", {}).get("rules", ())):
        if rule.get("action") == "FailIndex" and per_index is None:
            yield f"spec.podFailurePolicy.rules[{index}].action", "requires the backoffLimitPerIndex to be set"
