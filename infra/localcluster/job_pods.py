"""The pods of a Job: their counts, the missing indexes and the pod built from the template."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.completion_indexes import indexes
from chalicelib.domain.kubernetes.jobs import INDEXED
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION, COMPLETION_INDEX_LABEL
from infra.localcluster.kinds import JOB
from infra.localcluster.pod_deletion import TRACKING_FINALIZER
from infra.localcluster.pod_failure_policy import RuleMatch, matching_rule
from infra.localcluster.pod_status import ENDED

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document

INDEX_VARIABLE = "JOB_COMPLETION_INDEX"


@dataclass(frozen=True)
class Pods:
    """The state of a Job's pods; the counts include the pods that were counted before, and may be gone by now."""

    active: list[Document]
    terminating: list[Document]
    """Pods that are being deleted and have not ended."""
    uncounted: list[Document]
    """Pods whose end is counted now, so that their finalizer can be removed."""
    succeeded: int
    failed: int
    completed_indexes: frozenset[int] = frozenset()
    failed_indexes: frozenset[int] = frozenset()
    failure_message: str = ""
    """Set if the pod failure policy fails the Job."""

    @classmethod
    def of(cls, job: Document, pods: list[Document]) -> Pods:
        """Count *pods* for *job*."""
        counted_before = job["status"]
        succeeded = [pod for pod in pods if pod["status"]["phase"] == "Succeeded"]
        failures = [(pod, matching_rule(job, pod)) for pod in pods if _has_failed(job, pod)]
        counted = [pod for pod, match in failures if match.action != "Ignore"]
        completed = frozenset(indexes(counted_before.get("completedIndexes", ""))) | frozenset(
            index_of(pod) for pod in succeeded if is_indexed(job)
        )
        new = sum(map(is_tracked, succeeded))
        return cls(
            active=[pod for pod in pods if not _has_ended(pod) and not is_deleted(pod)],
            terminating=[pod for pod in pods if not _has_ended(pod) and is_deleted(pod)],
            uncounted=[pod for pod in (*succeeded, *(pod for pod, _ in failures)) if is_tracked(pod)],
            succeeded=len(completed) if is_indexed(job) else counted_before.get("succeeded", 0) + new,
            failed=counted_before.get("failed", 0) + sum(map(is_tracked, counted)),
            completed_indexes=completed,
            failed_indexes=_failed_indexes(job, failures, counted),
            failure_message=next((match.message for _, match in failures if match.action == "FailJob"), ""),
        )

    def abandon(self, job: Document) -> Pods:
        """Return the pods of *job* after its failure was decided: those that have not ended count as failed."""
        abandoned = [pod for pod in self.terminating if is_tracked(pod) and pod not in self.uncounted]
        failed = sum(matching_rule(job, pod).action != "Ignore" for pod in abandoned)
        return replace(self, uncounted=[*self.uncounted, *abandoned], failed=self.failed + failed)

    def surplus(self, job: Document) -> list[Document]:
        """Return the active pods that *job* does not need any more; the last ones first."""
        needed = self._wanted(job)
        return self.active[: needed - 1 if needed else None : -1] if len(self.active) > needed else []

    def missing(self, job: Document) -> list[int]:
        """Return the indexes of the pods to create for *job*; without indexes, as many numbers."""
        held = [*self.active, *(self.terminating if replaces_only_failed(job) else ())]
        count = max(self._wanted(job) - len(held), 0)
        if not is_indexed(job):
            return list(range(count))
        used = self.completed_indexes | self.failed_indexes | {index_of(pod) for pod in held}
        return [index for index in range(job["spec"]["completions"]) if index not in used][:count]

    def _wanted(self, job: Document) -> int:
        """Return how many active pods *job* should have."""
        spec = job["spec"]
        if "completions" not in spec:
            return len(self.active) if self.succeeded else int(spec["parallelism"])
        return int(max(min(spec["parallelism"], spec["completions"] - self.succeeded), 0))


def replaces_only_failed(job: Document) -> bool:
    """Return whether a deleted pod of *job* is replaced only when it has ended."""
    return job["spec"]["podReplacementPolicy"] == "Failed" or "podFailurePolicy" in job["spec"]


def is_deleted(pod: Document) -> bool:
    """Return whether *pod* is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def is_tracked(pod: Document) -> bool:
    """Return whether the Job controller has not counted the end of *pod* yet."""
    return TRACKING_FINALIZER in pod["metadata"].get("finalizers", ())


def is_indexed(job: Document) -> bool:
    """Return whether the pods of *job* have completion indexes."""
    return bool(job["spec"].get("completionMode") == INDEXED)


def index_of(pod: Document) -> int:
    """Return the completion index of *pod*, or -1."""
    return int(pod["metadata"].get("annotations", {}).get(COMPLETION_INDEX_ANNOTATION, -1))


def build_pod(job: Document, index: int) -> Document:
    """Return the pod of *job* with *index*, if the Job is Indexed."""
    metadata, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
    owner = {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    finalizers = [*template["metadata"].get("finalizers", ()), TRACKING_FINALIZER]
    generated = {
        "generateName": f"{metadata['name']}-",
        "ownerReferences": [owner],
        "finalizers": finalizers,
    }
    pod = {"metadata": {**template["metadata"], **generated}, "spec": template["spec"]}
    return _with_index(pod, metadata["name"], index) if is_indexed(job) else pod


def format_indexes(completed: frozenset[int]) -> str:
    """Return *completed* in Kubernetes' compressed format: 1,3-5,7."""
    ranges: list[list[int]] = []
    for index in sorted(completed):
        if ranges and index == ranges[-1][-1] + 1:
            ranges[-1].append(index)
        else:
            ranges.append([index])
    # Two consecutive indexes are not written as a range.
    return ",".join(f"{each[0]}-{each[-1]}" if len(each) > 2 else ",".join(map(str, each)) for each in ranges)  # noqa: PLR2004


def _with_index(pod: Document, job: str, index: int) -> Document:
    metadata, spec = pod["metadata"], pod["spec"]
    index_value = {COMPLETION_INDEX_LABEL: str(index)}
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{COMPLETION_INDEX_LABEL}']"}}
    for container in spec["containers"]:
        names = {variable["name"] for variable in container.get("env", ())}
        if INDEX_VARIABLE not in names:
            container["env"] = [*container.get("env", ()), {"name": INDEX_VARIABLE, "valueFrom": source}]
    indexed = {kind: {**metadata.get(kind, {}), **index_value} for kind in ("labels", "annotations")}
    indexed_metadata = {**metadata, **indexed, "generateName": f"{job}-{index}-"}
    return {"metadata": indexed_metadata, "spec": {**spec, "hostname": f"{job}-{index}"}}


def _has_ended(pod: Document) -> bool:
    return pod["status"]["phase"] in ENDED


def _has_failed(job: Document, pod: Document) -> bool:
    """Return whether *pod* counts as failed: if a deleted pod is replaced at once, it has failed at once."""
    if pod["status"]["phase"] == "Failed":
        return True
    return is_deleted(pod) and not replaces_only_failed(job) and pod["status"]["phase"] != "Succeeded"


def _failed_indexes(
    job: Document, failures: list[tuple[Document, RuleMatch]], counted: list[Document]
) -> frozenset[int]:
    """Return the indexes that failed by a rule, or more often than backoffLimitPerIndex."""
    limit = job["spec"].get("backoffLimitPerIndex")
    if limit is None:
        return frozenset()
    by_rule = {index_of(pod) for pod, match in failures if match.action == "FailIndex"}
    exhausted = {index for index, number in Counter(map(index_of, counted)).items() if number > limit}
    return frozenset(indexes(job["status"].get("failedIndexes", "")) | by_rule | exhausted)
