"""The restricted profile."""

from __future__ import annotations

from typing import Any

import pytest

from infra.localcluster.pod_security import violations

SAFE: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SHARED: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def pod(own: dict[str, Any] | None = None, **spec: object) -> dict[str, Any]:
    """A pod that the profile takes, but for *own* of its container and *spec* of itself."""
    return {"securityContext": SHARED, "containers": [{"securityContext": {**SAFE, **(own or {})}}], **spec}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param(pod(), [], id="safe"),
        pytest.param(pod(volumes=[{"name": "v", "emptyDir": {}}]), [], id="volume"),
        pytest.param(pod(volumes=[{"name": "v", "hostPath": {}}]), ["volume hostPath"], id="the node's folder"),
        pytest.param(pod(hostNetwork=True), ["hostNetwork"], id="the node's network"),
        pytest.param(pod({"privileged": True}), ["privileged"], id="privileged"),
        pytest.param(pod({"runAsUser": 0}), ["runAsUser"], id="root"),
        pytest.param(
            pod(initContainers=[{"securityContext": {**SAFE, "privileged": True}}]), ["privileged"], id="init"
        ),
    ],
)
def test_violations(spec: dict[str, Any], found: list[str]) -> None:
    """Each is named by its field."""
    assert found == violations(spec)
