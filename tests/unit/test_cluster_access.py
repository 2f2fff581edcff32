"""The template that a cluster's account applies: the role that the API assumes, and what it is on the cluster."""

from __future__ import annotations

from pathlib import Path

import yaml

import infra
from infra.local.local_stack import ENTRY

TEMPLATE = Path(infra.__file__).parent / "cluster-access.yaml"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as !Ref, as the text or the list behind them."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def test_role_is_the_one_that_the_tests_run_with() -> None:
    """Group and user name are those of the local cloud, and AWS's policies give no rights to Jobs to the role.

    It is assumed with the external id alone, so that another deployment cannot pass for this one, and may do nothing.
    """
    resources = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader)["Resources"]  # noqa: S506 - a SafeLoader
    entry, role = (resources[name]["Properties"] for name in ("AccessEntry", "Role"))
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert "AccessPolicies" not in entry
    assert (entry["Username"], tuple(entry["KubernetesGroups"])) == (ENTRY.username, ENTRY.groups)
    assert {"Policies", "ManagedPolicyArns"}.isdisjoint(role)
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "ExternalId"}}
