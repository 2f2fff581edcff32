"""The preflight check, which predicts whether the cluster admits the pods of a Job.

The API creates the pod of `pod_of` as a dry run. `never_fits` decides whether the quota error in the response is
permanent, or only means that the quota is used up at the moment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.kubernetes.quantities import number

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest

_QUOTA = re.compile(r"requested: (?P<requested>[^:]+), used: [^:]+, limited: (?P<limited>[^:]+)")
"""The message of a quota error, whose format has not changed since 2015."""


def pod_of(job: Manifest) -> Manifest:
    """Return a pod like those that the Job controller creates for *job*."""
    metadata, template = job["metadata"], job["spec"]["template"]
    name = {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template.get("metadata", {}), **name},
        "spec": template["spec"],
    }


def is_queued(job: Manifest) -> bool:
    """Return whether *job* waits in a queue for quota."""
    return QUEUE_LABEL in job["metadata"].get("labels", {})


def never_fits(message: str) -> bool:
    """Return whether *message* is the quota error of a pod that requests more than the whole quota."""
    match = _QUOTA.search(message)
    if match is None:
        return False
    requested, limited = _amounts(match["requested"]), _amounts(match["limited"])
    return any(requested[name] > limited[name] for name in requested.keys() & limited.keys())


def _amounts(text: str) -> dict[str, float]:
    """Return the number for each resource in *text* such as `pods=1,requests.memory=4Gi`."""
    pairs = (pair.partition("=") for pair in text.split(","))
    numbers = ((name, number(quantity)) for name, _, quantity in pairs)
    return {name: value for name, value in numbers if value is not None}
