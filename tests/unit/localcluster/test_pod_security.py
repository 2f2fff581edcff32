"""The restricted profile."""

from __future__ import annotations

from typing import Any

import pytest

from infra.localcluster.pod_security import violations

SAFE: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SHARED: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def pod(container: dict[str, Any] | None = None, **spec: object) -> dict[str, Any]:
    """Return a compliant pod, except for *container* in its container and *spec* in the pod."""
    return {"securityContext": SHARED, "containers": [{"securityContext": {**SAFE, **(container or {})}}], **spec}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(pod(), [], id="safe"),
        pytest.param(pod(volumes=[{"name": "v", "emptyDir": {}}]), [], id="volume"),
        pytest.param(pod(volumes=[{"name": "v", "hostPath": {}}]), ["volume hostPath"], id="host path"),
        pytest.param(pod(hostNetwork=True), ["hostNetwork"], id="host network"),
        pytest.param(pod({"privileged": True}), ["privileged"], id="privileged"),
        pytest.param(pod({"runAsUser": 0}), ["runAsUser"], id="root"),
        pytest.param(
            pod(initContainers=[{"securityContext": {**SAFE, "privileged": True}}]), ["privileged"], id="init container"
        ),
    ],
)
def test_violations(spec: dict[str, Any], expected: list[str]) -> None:
    """Each violation is reported by its field."""
    assert violations(spec) == expected
