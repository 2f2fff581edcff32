"""The pods of a Job: their counts, the missing indexes and the pod built from the template."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import INDEXED
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION, COMPLETION_INDEX_LABEL
from infra.localcluster.kinds import JOB
from infra.localcluster.pod_failure_policy import matching_rule

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document

INDEX_VARIABLE = "JOB_COMPLETION_INDEX"


@dataclass(frozen=True)
class Pods:
    """The state of a Job's pods; *failure_message* is set if one of them fails the Job."""

    active: list[Document]
    succeeded: int
    failed: int
    completed_indexes: frozenset[int] = frozenset()
    failed_indexes: frozenset[int] = frozenset()
    failure_message: str = ""

    @classmethod
    def of(cls, job: Document, pods: list[Document]) -> Pods:
        """Count *pods* for *job*."""
        active = [pod for pod in pods if pod["status"]["phase"] not in ("Succeeded", "Failed")]
        succeeded = [pod for pod in pods if pod["status"]["phase"] == "Succeeded"]
        failures = [(pod, matching_rule(job, pod)) for pod in pods if pod["status"]["phase"] == "Failed"]
        counted = [pod for pod, match in failures if match.action != "Ignore"]
        completed = frozenset(index_of(pod) for pod in succeeded) if is_indexed(job) else frozenset()
        failed_by_rule = {index_of(pod) for pod, match in failures if match.action == "FailIndex"}
        return cls(
            active=active,
            succeeded=len(completed) if is_indexed(job) else len(succeeded),
            failed=len(counted),
            completed_indexes=completed,
            failed_indexes=frozenset(failed_by_rule | _exhausted(job, counted)),
            failure_message=next((match.message for _, match in failures if match.action == "FailJob"), ""),
        )

    def missing(self, job: Document) -> list[int]:
        """Return the indexes of the pods to create for *job*; without indexes, as many numbers."""
        spec = job["spec"]
        if not is_indexed(job):
            remaining = spec["completions"] - self.succeeded if "completions" in spec else spec["parallelism"]
            return list(range(min(spec["parallelism"], remaining) - len(self.active)))
        used = self.completed_indexes | self.failed_indexes
        remaining = min(spec["parallelism"], spec["completions"] - len(used)) - len(self.active)
        used |= {index_of(pod) for pod in self.active}
        return [index for index in range(spec["completions"]) if index not in used][: max(remaining, 0)]


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
    generated = {"generateName": f"{metadata['name']}-", "ownerReferences": [owner]}
    pod = {"metadata": {**template["metadata"], **generated}, "spec": template["spec"]}
    return _with_index(pod, metadata["name"], index) if is_indexed(job) else pod


def format_indexes(indexes: frozenset[int]) -> str:
    """Return *indexes* in Kubernetes' format_indexes format: 1,3-5,7."""
    ranges: list[list[int]] = []
    for index in sorted(indexes):
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


def _exhausted(job: Document, counted: list[Document]) -> set[int]:
    """Return the indexes that failed more often than backoffLimitPerIndex."""
    limit = job["spec"].get("backoffLimitPerIndex")
    if limit is None:
        return set()
    return {index for index, failures in Counter(map(index_of, counted)).items() if failures > limit}
