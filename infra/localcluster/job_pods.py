"""The pods of a Job: how they stand, which come next, and what they are made from."""

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
    """How a Job's pods stand; *verdict* is why one of them ends the Job."""

    active: list[Document]
    succeeded: int
    failed: int
    completed_indexes: frozenset[int] = frozenset()
    failed_indexes: frozenset[int] = frozenset()
    verdict: str = ""

    @classmethod
    def of(cls, job: Document, pods: list[Document]) -> Pods:
        """What *pods* mean to *job*."""
        active = [pod for pod in pods if pod["status"]["phase"] not in ("Succeeded", "Failed")]
        succeeded = [pod for pod in pods if pod["status"]["phase"] == "Succeeded"]
        failures = [(pod, matching_rule(job, pod)) for pod in pods if pod["status"]["phase"] == "Failed"]
        counted = [pod for pod, judgement in failures if judgement.action != "Ignore"]
        done = frozenset(index_of(pod) for pod in succeeded) if is_indexed(job) else frozenset()
        given_up = {index_of(pod) for pod, judgement in failures if judgement.action == "FailIndex"}
        return cls(
            active=active,
            succeeded=len(done) if is_indexed(job) else len(succeeded),
            failed=len(counted),
            completed_indexes=done,
            failed_indexes=frozenset(given_up | _exhausted(job, counted)),
            verdict=next((judgement.message for _, judgement in failures if judgement.action == "FailJob"), ""),
        )

    def missing(self, job: Document) -> list[int]:
        """The indexes of the pods that *job* needs now beside the active ones; without indexes, as many numbers."""
        spec = job["spec"]
        if not is_indexed(job):
            left = spec["completions"] - self.succeeded if "completions" in spec else spec["parallelism"]
            return list(range(min(spec["parallelism"], left) - len(self.active)))
        taken = self.completed_indexes | self.failed_indexes
        left = min(spec["parallelism"], spec["completions"] - len(taken)) - len(self.active)
        taken |= {index_of(pod) for pod in self.active}
        return [index for index in range(spec["completions"]) if index not in taken][: max(left, 0)]


def is_indexed(job: Document) -> bool:
    """Whether the pods of *job* are numbered."""
    return bool(job["spec"].get("completionMode") == INDEXED)


def index_of(pod: Document) -> int:
    """The number of *pod* in its Job."""
    return int(pod["metadata"].get("annotations", {}).get(COMPLETION_INDEX_ANNOTATION, -1))


def pod_of(job: Document, index: int) -> Document:
    """The pod of *job* that has that number, where numbers count."""
    metadata, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
    owner = {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    marks = {"generateName": f"{metadata['name']}-", "ownerReferences": [owner]}
    pod = {"metadata": {**template["metadata"], **marks}, "spec": template["spec"]}
    return _numbered(pod, metadata["name"], index) if is_indexed(job) else pod


def compressed(indexes: frozenset[int]) -> str:
    """*indexes* in Kubernetes' own short form: 1,3-5,7."""
    parts: list[list[int]] = []
    for index in sorted(indexes):
        if parts and index == parts[-1][-1] + 1:
            parts[-1].append(index)
        else:
            parts.append([index])
    # Two in a row are written one by one.
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 2 else ",".join(map(str, part)) for part in parts)  # noqa: PLR2004


def _numbered(pod: Document, job: str, index: int) -> Document:
    metadata, spec = pod["metadata"], pod["spec"]
    mark = {COMPLETION_INDEX_LABEL: str(index)}
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{COMPLETION_INDEX_LABEL}']"}}
    for container in spec["containers"]:
        named = {one["name"] for one in container.get("env", ())}
        if INDEX_VARIABLE not in named:
            container["env"] = [*container.get("env", ()), {"name": INDEX_VARIABLE, "valueFrom": source}]
    marks = {kind: {**metadata.get(kind, {}), **mark} for kind in ("labels", "annotations")}
    numbered = {**metadata, **marks, "generateName": f"{job}-{index}-"}
    return {"metadata": numbered, "spec": {**spec, "hostname": f"{job}-{index}"}}


def _exhausted(job: Document, counted: list[Document]) -> set[int]:
    """The indexes that failed more often than each of them may."""
    limit = job["spec"].get("backoffLimitPerIndex")
    if limit is None:
        return set()
    return {index for index, failures in Counter(map(index_of, counted)).items() if failures > limit}
