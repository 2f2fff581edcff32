"""Rights by roles and bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.local.kubernetes.identity import Identity
from infra.local.kubernetes.kinds import ROLE, ROLE_BINDING
from infra.local.kubernetes.rbac import Ask, Rbac

if TYPE_CHECKING:
    from tests.unit.local.kubernetes.conftest import Parts

WHO = Identity("alice", ("red",))


@pytest.mark.parametrize(
    ("subject", "verdict"),
    [
        pytest.param({"kind": "User", "name": "alice"}, True, id="user"),
        pytest.param({"kind": "User", "name": "bob"}, False, id="another user"),
        pytest.param({"kind": "Group", "name": "red"}, True, id="group"),
        pytest.param({"kind": "Group", "name": "system:authenticated"}, True, id="everybody's group"),
        pytest.param({"kind": "ServiceAccount", "name": "alice"}, False, id="an account of that name"),
    ],
)
def test_subjects(parts: Parts, subject: dict[str, Any], verdict: bool) -> None:
    """A binding holds for whom it names."""
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["one"]}
    parts.store.add(ROLE, "team", {"metadata": {"name": "look"}, "rules": [rule]})
    binding = {"metadata": {"name": "b", "namespace": "team"}, "roleRef": {"kind": "Role", "name": "look"}}
    parts.store.add(ROLE_BINDING, "team", {**binding, "subjects": [subject]})
    rbac = Rbac(parts.store)

    assert verdict == rbac.allows(WHO, Ask("get", "", "pods", "team", "one"))
    assert not rbac.allows(WHO, Ask("get", "", "pods", "team", "two"))
