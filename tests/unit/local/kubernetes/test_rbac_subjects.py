"""Whom a binding names; contract/test_rbac.py has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.localcluster.identity import Identity
from infra.localcluster.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING
from infra.localcluster.rbac import Ask, Rbac

if TYPE_CHECKING:
    from tests.unit.local.kubernetes.conftest import Parts


@pytest.mark.parametrize(("kind", "holds"), [("Group", True), ("ServiceAccount", False)])
def test_everybody_is_in_one_group(parts: Parts, kind: str, *, holds: bool) -> None:
    """And an account of that name is somebody else."""
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    binding = {"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "look"}}
    subject = {"kind": kind, "name": "system:authenticated"}
    parts.store.add(CLUSTER_ROLE, "", {"metadata": {"name": "look"}, "rules": [rule]})
    parts.store.add(CLUSTER_ROLE_BINDING, "", {**binding, "subjects": [subject]})

    assert Rbac(parts.store).allows(Identity("alice", ()), Ask("get", "", "pods", "team", "one")) == holds
