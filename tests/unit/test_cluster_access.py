"""The template that a cluster's account applies: the role that the API assumes, and what it is on the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import infra
from infra.local.stack import ENTRY

TEMPLATE = Path(infra.__file__).parent / "cluster-access.yaml"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as !Ref, as the text or the list behind them."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


@pytest.fixture
def resources() -> dict[str, Any]:
    """The template's resources, by name."""
    document = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a SafeLoader
    found: dict[str, Any] = document["Resources"]
    return found


class TestAccessEntry:
    """AWS::EKS::AccessEntry."""

    def test_is_the_one_that_the_tests_run_with(self, resources: dict[str, Any]) -> None:
        """Group and user name are those of the local cloud; AWS's policies would give rights to Jobs to the role."""
        entry = resources["AccessEntry"]["Properties"]

        assert "AccessPolicies" not in entry
        assert (entry["Username"], tuple(entry["KubernetesGroups"])) == (ENTRY.username, ENTRY.groups)


class TestRole:
    """AWS::IAM::Role."""

    def test_is_assumed_with_the_external_id_alone(self, resources: dict[str, Any]) -> None:
        """Another deployment in the same account cannot pass for this one. In AWS the role may do nothing."""
        (statement,) = resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

        assert {"Policies", "ManagedPolicyArns"}.isdisjoint(resources["Role"]["Properties"])
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "ExternalId"}}
