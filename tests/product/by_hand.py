"""Jobs that were created with kubectl, not through the API."""

from __future__ import annotations

from typing import Any

_RESTRICTED = {
    "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
    "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip


def by_hand(metadata: dict[str, Any], *, privileged: bool = False, **spec: object) -> dict[str, Any]:
    """Return a Job, in team-a by default, whose pods pass Pod Security unless *privileged*."""
    container = {
        "name": "main",
        "image": "busybox",
        "resources": {"requests": {"cpu": "1"}},
        "securityContext": {"privileged": True} if privileged else _RESTRICTED,
    }
    pod = {"restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"namespace": "researcher-team-a", **metadata},
        "spec": {"template": {"spec": pod}, **spec},
    }
