"""The template for the account of a cluster: the role that the API assumes, and its access entry."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import infra
from infra.local.local_stack import ENTRY

TEMPLATE = Path(infra.__file__).parent / "cluster-access.yaml"


class Loader(yaml.SafeLoader):
    """Loads CloudFormation's short forms, such as !Ref, as the value behind them."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def test_access_entry_is_the_one_of_the_local_cloud() -> None:
    """Group and user name are those of the local cloud, and the role has no other permissions on the cluster.

    It has no IAM policies, and can be assumed only by roles of the API's stack, and with the external ID, which
    prevents the confused deputy problem.
    """
    template = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a SafeLoader
    resources, parameters = template["Resources"], template["Parameters"]
    entry, role = (resources[name]["Properties"] for name in ("AccessEntry", "Role"))
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert "AccessPolicies" not in entry
    assert (entry["Username"], tuple(entry["KubernetesGroups"])) == (ENTRY.username, ENTRY.groups)
    assert {"Policies", "ManagedPolicyArns"}.isdisjoint(role)
    assert statement["Condition"] == {
        "StringEquals": {"sts:ExternalId": "ExternalId"},
        "ArnLike": {"aws:PrincipalArn": "arn:${AWS::Partition}:iam::${ApiAccount}:role/${ApiStack}-*"},
    }
    # A role whose creation is rolled back does not stay.
    assert [resources["Role"][each] for each in ("DeletionPolicy", "UpdateReplacePolicy")] == [
        "RetainExceptOnCreate", "Retain",
    ]  # fmt: skip
    pattern = parameters["ApiStack"]["AllowedPattern"]
    assert [bool(re.fullmatch(pattern, name)) for name in ("researcher-dev", "*", "a" * 25, "")] == [True, *[False] * 3]
