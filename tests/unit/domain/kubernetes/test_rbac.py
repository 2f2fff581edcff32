"""Tests of RBAC rules."""

from __future__ import annotations

import pytest

from chalicelib.domain.kubernetes.rbac import VERBS, PolicyRule, verbs_on_jobs

JOBS = {"api_groups": ["batch"], "resources": ["jobs"]}


class TestVerbsOnJobs:
    """Tests of verbs_on_jobs."""

    def test_rules_are_combined(self) -> None:
        """The verbs of several rules are combined, each once and in a fixed order."""
        rules = [PolicyRule(verbs=["watch", "get"], **JOBS), PolicyRule(verbs=["list", "get"], **JOBS)]

        assert verbs_on_jobs(rules) == ["get", "list", "watch"]

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param(PolicyRule(verbs=["*"], **JOBS), id="every verb"),
            pytest.param(PolicyRule(verbs=["*"], api_groups=["*"], resources=["*"]), id="everything"),
        ],
    )
    def test_wildcards_are_expanded(self, rule: PolicyRule) -> None:
        """A wildcard is returned as the list of all verbs."""
        assert verbs_on_jobs([rule]) == list(VERBS)

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param(PolicyRule(verbs=["get"], api_groups=[""], resources=["pods"]), id="pods"),
            pytest.param(PolicyRule(verbs=["get"], api_groups=[""], resources=["jobs"]), id="other API group"),
            pytest.param(PolicyRule(verbs=["get"], api_groups=["batch"], resources=["jobs/status"]), id="subresource"),
            pytest.param(PolicyRule(verbs=["get"], resource_names=["train-1"], **JOBS), id="one Job"),
            pytest.param(PolicyRule(verbs=["impersonate"], **JOBS), id="other verb"),
        ],
    )
    def test_other_rules_are_ignored(self, rule: PolicyRule) -> None:
        """Rules for single Jobs, other resources or other verbs are ignored."""
        assert verbs_on_jobs([rule]) == []
