"""Policies that inject containers into pods, as the webhook of a service mesh does, for the outcomes that need one."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from infra.localcluster.simulation import SIMULATE, SIMULATE_VARIABLE, injections
from tests.cluster.json_client import ErrorResponse
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.json_client import JsonClient

Document = dict[str, Any]

_API = "admissionregistration.k8s.io/v1"
_DEFAULT = "/api/v1/namespaces/default"
_PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
_SELECTS = (
    "object.metadata.?annotations[?'{annotation}'].orValue('') == '{outcome}' || "
    "object.spec.containers[0].?env.orValue([])"
    ".exists(each, each.name == '{variable}' && each.?value.orValue('') == '{outcome}')"
)


def install_injection(client: JsonClient) -> None:
    """Create the policies on the cluster of *client*, and wait until they are effective.

    Before Kubernetes 1.36, nothing is injected, and the tests of injected containers fail.
    """
    if "mutatingadmissionpolicies" not in {each["name"] for each in client.get(f"/apis/{_API}")["resources"]}:
        return
    for document in injecting_policies():
        client.apply(document)
    for outcome in injections():
        eventually(partial(_is_injected, client, outcome))


def remove_injection(client: JsonClient) -> None:
    """Delete the policies from the cluster of *client*."""
    for document in injecting_policies():
        client.delete(client.path_of(document))


def injecting_policies() -> Iterator[Document]:
    """Yield a policy and its binding for each outcome with an injected container."""
    for outcome, (field, container) in injections().items():
        metadata = {"name": f"inject-{outcome}"}
        expression = f"object.spec.?{field}.hasValue()"
        add_first = [{"op": "add", "path": f"/spec/{field}", "value": [container]}]
        append = [{"op": "add", "path": f"/spec/{field}/-", "value": container}]
        spec = {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [_PODS]},
            "matchConditions": [{"name": "selects", "expression": _selects(outcome)}],
            "mutations": [
                {
                    "patchType": "JSONPatch",
                    "jsonPatch": {"expression": f"{expression} ? {_patch(append)} : {_patch(add_first)}"},
                }
            ],
        }
        yield {"apiVersion": _API, "kind": "MutatingAdmissionPolicy", "metadata": metadata, "spec": spec}
        binding = {"policyName": metadata["name"]}
        yield {"apiVersion": _API, "kind": "MutatingAdmissionPolicyBinding", "metadata": metadata, "spec": binding}


def _is_injected(client: JsonClient, outcome: str) -> bool:
    container = {"name": "main", "image": "image:1"}
    metadata = {"generateName": "probe-", "annotations": {SIMULATE: outcome}}
    try:
        created = client.create(
            f"{_DEFAULT}/pods?dryRun=All", {"metadata": metadata, "spec": {"containers": [container]}}
        )
    except ErrorResponse:  # a new cluster has no default ServiceAccount yet
        return False
    return len([*created["spec"]["containers"], *created["spec"].get("initContainers", ())]) > 1


def _selects(outcome: str) -> str:
    return _SELECTS.format(annotation=SIMULATE, variable=SIMULATE_VARIABLE, outcome=outcome)


def _patch(operations: list[Document]) -> str:
    """Return *operations* in CEL."""
    patches = (
        f'JSONPatch{{op: "{each["op"]}", path: "{each["path"]}", value: {_literal(each["value"])}}}'
        for each in operations
    )
    return f"[{', '.join(patches)}]"


def _literal(value: object) -> str:
    """Return JSON as a CEL literal; the values of a list or a map must have one type, so each is dynamic."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: dyn({_literal(inner)})' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(f'dyn({_literal(inner)})' for inner in value)}]"
    return json.dumps(value)
