"""What somebody may do, as the cluster lists it."""

from __future__ import annotations

import pytest

from chalicelib.domain.kubernetes.rbac import VERBS, PolicyRule, verbs_on_jobs

JOBS = {"api_groups": ["batch"], "resources": ["jobs"]}


class TestVerbsOnJobs:
    """The verbs that rules allow on every Job."""

    def test_of_all_rules_together(self) -> None:
        """Several roles add up, each verb once, in one order."""
        rules = [PolicyRule(verbs=["watch", "get"], **JOBS), PolicyRule(verbs=["list", "get"], **JOBS)]

        assert verbs_on_jobs(rules) == ["get", "list", "watch"]

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param(PolicyRule(verbs=["*"], **JOBS), id="every verb"),
            pytest.param(PolicyRule(verbs=["*"], api_groups=["*"], resources=["*"]), id="everything"),
        ],
    )
    def test_stars_are_told_as_what_they_mean(self, rule: PolicyRule) -> None:
        """An administrator sees the verbs and no star."""
        assert verbs_on_jobs([rule]) == list(VERBS)

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param(PolicyRule(verbs=["get"], api_groups=[""], resources=["pods"]), id="of pods"),
            pytest.param(PolicyRule(verbs=["get"], api_groups=[""], resources=["jobs"]), id="of another group"),
            pytest.param(PolicyRule(verbs=["get"], api_groups=["batch"], resources=["jobs/status"]), id="of a part"),
            pytest.param(PolicyRule(verbs=["get"], resource_names=["train-1"], **JOBS), id="of one Job"),
            pytest.param(PolicyRule(verbs=["impersonate"], **JOBS), id="of no such verb"),
        ],
    )
    def test_others_do_not_count(self, rule: PolicyRule) -> None:
        """What holds for some Jobs, or for other objects, is no verb on Jobs."""
        assert verbs_on_jobs([rule]) == []
