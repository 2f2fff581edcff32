"""A batch/v1 Job as the API server takes it: checked and with its defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import INDEXED
from infra.localcluster.status_errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.localcluster.kinds import Document

MAX_NAME = 63
"""Pods carry the name of their Job as a label's value, unless the Job has a selector of its own."""

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
    """Refusal 422 that names every field of *job* that breaks a rule."""
    causes = [{"reason": "FieldValueInvalid", "field": field, "message": message} for field, message in _faults(job)]
    if causes:
        raise invalid("Job.batch", job["metadata"]["name"], causes)


def set_defaults(job: Document) -> None:
    """Fills *job*, which has its uid, with what a real API server adds."""
    spec, metadata = job["spec"], job["metadata"]
    if "parallelism" not in spec:
        spec.setdefault("completions", 1)  # else it is a work queue, which ends when its pods say so
    backoff_limit = _NO_LIMIT if "backoffLimitPerIndex" in spec else 6
    job["spec"] = spec = {**_DEFAULTS, "backoffLimit": backoff_limit, **spec}
    template = spec["template"]
    template["metadata"] = {**template.get("metadata", {})}
    template["spec"] = {**_POD_DEFAULTS, **template["spec"]}
    job["status"] = {}
    if not spec["manualSelector"]:
        _select_by_uid(spec, metadata)


def _select_by_uid(spec: Document, metadata: Document) -> None:
    own = {"batch.kubernetes.io/controller-uid": metadata["uid"], "batch.kubernetes.io/job-name": metadata["name"]}
    old = {"controller-uid": metadata["uid"], "job-name": metadata["name"]}
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": metadata["uid"]}}
    template = spec["template"]["metadata"]
    template["labels"] = {**template.get("labels", {}), **own, **old}


def _faults(job: Document) -> Iterator[tuple[str, str]]:
    spec = job.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or {}
    if spec.get("manualSelector"):
        yield from _faults_of_selector(spec)
    elif len(job["metadata"]["name"]) > MAX_NAME:
        yield "metadata.name", f"must be no more than {MAX_NAME} characters"
    for name in _COUNTS:
        if isinstance(spec.get(name), int) and spec[name] < 0:
            yield f"spec.{name}", f"Invalid value: {spec[name]}: must be greater than or equal to 0"
    yield from _faults_of_indexes(spec)
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        yield "spec.template.spec.restartPolicy", 'Required value: valid values: "OnFailure", "Never"'
    if not pod.get("containers"):
        yield "spec.template.spec.containers", "Required value"
    for number, container in enumerate(pod.get("containers") or ()):
        for field in ("name", "image"):
            if not container.get(field):
                yield f"spec.template.spec.containers[{number}].{field}", "Required value"


def _faults_of_selector(spec: Document) -> Iterator[tuple[str, str]]:
    selector = spec.get("selector")
    wanted = (selector or {}).get("matchLabels") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if selector is None:
        yield "spec.selector", "Required value"
    elif not wanted.items() <= labels.items():
        yield "spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`"


def _faults_of_indexes(spec: Document) -> Iterator[tuple[str, str]]:
    per_index, most, completions = (
        spec.get(name) for name in ("backoffLimitPerIndex", "maxFailedIndexes", "completions")
    )
    indexed = spec.get("completionMode") == INDEXED
    if indexed and completions is None and "parallelism" in spec:  # else both get their defaults
        yield "spec.completions", "Required value: when completion mode is Indexed"
    if indexed and most is not None and completions is not None and most > completions:
        yield "spec.maxFailedIndexes", f"Invalid value: {most}: must be less than or equal to completions"
    if most is not None and per_index is None:
        yield "spec.backoffLimitPerIndex", "Required value: when maxFailedIndexes is specified"
    for name, value in (("backoffLimitPerIndex", per_index), ("maxFailedIndexes", most)):
        if value is not None and not indexed:
            yield f"spec.{name}", f"Invalid value: {value}: requires indexed completion mode"
    for number, rule in enumerate(spec.get("podFailurePolicy", {}).get("rules", ())):
        if rule.get("action") == "FailIndex" and per_index is None:
            yield f"spec.podFailurePolicy.rules[{number}].action", "requires the backoffLimitPerIndex to be set"
