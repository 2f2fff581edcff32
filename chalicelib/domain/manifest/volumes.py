"""The volumes of a Job's pods and the volume mounts of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import Manifest, without_none
from chalicelib.domain.kubernetes.quantities import DEFAULT_MEMORY, kubernetes_memory
from chalicelib.domain.submission.model import SHARED_MEMORY

if TYPE_CHECKING:
    from chalicelib.domain.submission.fields import Claim
    from chalicelib.domain.submission.model import Submission


def mounts(submission: Submission) -> list[Manifest]:
    """Return the volume mounts of the container."""
    shared = [{"name": "shared-memory", "mountPath": SHARED_MEMORY}] * submission.large_shm
    claims = [
        {"name": f"volume-{number}", "mountPath": claim.path, "readOnly": claim.read_only}
        for number, claim in enumerate(submission.pvc)
    ]
    return [*shared, *claims]


def volumes(submission: Submission) -> list[Manifest]:
    """Return the volumes: shared memory, existing claims, and ephemeral volumes that are deleted with the pod."""
    # Without a limit, a volume in memory can use up the memory of the node.
    limit = kubernetes_memory(submission.max_memory or DEFAULT_MEMORY)
    memory = {"medium": "Memory", "sizeLimit": limit}
    shared = [{"name": "shared-memory", "emptyDir": memory}] * submission.large_shm
    claims = [{"name": f"volume-{number}", **_claim(claim)} for number, claim in enumerate(submission.pvc)]
    return [*shared, *claims]


def _claim(claim: Claim) -> Manifest:
    if claim.name:
        return {"persistentVolumeClaim": {"claimName": claim.name, "readOnly": claim.read_only}}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": claim.storage_class,
        "resources": {"requests": {"storage": kubernetes_memory(claim.size or "")}},
    }
    return {"ephemeral": {"volumeClaimTemplate": {"spec": without_none(spec)}}}
