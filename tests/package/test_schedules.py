"""The packaged template: what runs by the clock, and what it may do then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.announcement import DETAIL_TYPE, SOURCE
from chalicelib.domain.manifest import render
from tests.builders import ALICE, locked, submission
from tests.package.reading import function, statements

if TYPE_CHECKING:
    from tests.package.reading import Json

SCHEDULES = pytest.mark.parametrize(("name", "default"), [("Cleanup", "rate(1 hour)"), ("Announce", "rate(1 minute)")])


class TestSchedules:
    """The functions that run by the clock."""

    @SCHEDULES
    def test_run_without_being_told(self, packaged: Json, name: str, default: str) -> None:
        """As often as that unless the stack is told otherwise; its settings decide what it does."""
        rule = packaged["Resources"][f"{name}Rule"]["Properties"]

        assert rule["ScheduleExpression"] == {"Ref": f"{name}Schedule"}
        assert packaged["Parameters"][f"{name}Schedule"]["Default"] == default
        assert [(one["Arn"], one["Input"]) for one in rule["Targets"]] == [({"Fn::GetAtt": [name, "Arn"]}, "{}")]

    @SCHEDULES
    def test_are_called_by_their_rule_alone(self, packaged: Json, name: str, default: str) -> None:
        """And not by other rules of the account."""
        del default
        permission = packaged["Resources"][f"{name}RulePermission"]["Properties"]

        assert (permission["FunctionName"], permission["Principal"], permission["SourceArn"]) == (
            {"Ref": name},
            "events.amazonaws.com",
            {"Fn::GetAtt": [f"{name}Rule", "Arn"]},
        )

    @SCHEDULES
    def test_are_not_tried_again(self, packaged: Json, name: str, default: str) -> None:
        """The next run comes anyway."""
        del default
        invocations = packaged["Resources"][f"{name}Invocations"]["Properties"]

        assert (invocations["FunctionName"], invocations["MaximumRetryAttempts"]) == ({"Ref": name}, 0)


class TestAnnouncements:
    """What EventBridge is told."""

    def test_are_of_one_kind(self, packaged: Json) -> None:
        """The function cannot pass for AWS, nor for another application."""
        (telling,) = [one for one in statements(packaged, "announce") if one["Action"] == "events:PutEvents"]

        assert telling["Condition"] == {"StringEquals": {"events:source": SOURCE, "events:detail-type": DETAIL_TYPE}}

    def test_run_ends_before_the_next_one(self, packaged: Json) -> None:
        """Or two would tell of a Job."""
        assert function(packaged, "announce")["Timeout"] < 60
        assert packaged["Resources"]["AnnounceInvocations"]["Properties"]["MaximumEventAgeInSeconds"] == 60

    def test_can_be_switched_off(self, packaged: Json) -> None:
        """By a parameter of the stack."""
        assert packaged["Resources"]["AnnounceRule"]["Properties"]["State"] == {
            "Fn::If": ["Announcing", "ENABLED", "DISABLED"]
        }
        assert packaged["Parameters"]["AnnounceFinished"]["Default"] == "true"


class TestCleanup:
    """What it deletes, and when."""

    def test_deletes_nothing_until_it_is_switched_on(self, packaged: Json) -> None:
        """By a parameter of the stack."""
        assert packaged["Parameters"]["CleanupDryRun"]["Default"] == "true"

    @pytest.mark.parametrize("name", ["CleanupRetentionSeconds", "CleanupFailedRetentionSeconds"])
    def test_comes_before_the_clusters_own_deletion(self, packaged: Json, name: str) -> None:
        """Which leaves no Receipt."""
        assert packaged["Parameters"][name]["MaxValue"] < render(submission(), ALICE, locked())["spec"][
            "ttlSecondsAfterFinished"
        ]  # fmt: skip
