"""Whether a Job's pods could ever be made: the pod that is asked about, and what the cluster's answer means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.kubernetes.quantities import number

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest

_QUOTA = re.compile(r"requested: (?P<requested>[^:]+), used: [^:]+, limited: (?P<limited>[^:]+)")
"""How Kubernetes says by how much a quota is exceeded, since 2015."""


def pod_of(job: Manifest) -> Manifest:
    """A pod such as *job* would make."""
    metadata, template = job["metadata"], job["spec"]["template"]
    named = {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template.get("metadata", {}), **named},
        "spec": template["spec"],
    }


def is_queued(job: Manifest) -> bool:
    """Whether a queue holds *job* back until there is room."""
    return QUEUE_LABEL in job["metadata"].get("labels", {})


def never_fits(refusal: str) -> bool:
    """Whether *refusal*, in a quota's words, is of a pod that asks for more than the quota allows altogether."""
    found = _QUOTA.search(refusal)
    if found is None:
        return False
    requested, limited = _amounts(found["requested"]), _amounts(found["limited"])
    return any(requested[name] > limited[name] for name in requested.keys() & limited.keys())


def _amounts(text: str) -> dict[str, float]:
    """Numbers by resource in *text* such as `pods=1,requests.memory=4Gi`."""
    pairs = (pair.partition("=") for pair in text.split(","))
    found = ((name, number(quantity)) for name, _, quantity in pairs)
    return {name: value for name, value in found if value is not None}
