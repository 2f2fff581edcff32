"""The packaged template: what runs by the clock, and what it may do then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.announcement import DETAIL_TYPE, SOURCE
from chalicelib.domain.manifest import render
from chalicelib.events import RESERVE_SECONDS
from tests.builders import ALICE, locked, submission
from tests.package.reading import function, statements

if TYPE_CHECKING:
    from tests.package.reading import Json


@pytest.mark.parametrize(("name", "default"), [("Cleanup", "rate(1 hour)"), ("Announce", "rate(1 minute)")])
def test_rule_alone_calls_the_function(packaged: Json, name: str, default: str) -> None:
    """As often as that unless the stack is told otherwise; a failed run is not tried again: the next comes anyway."""
    rule, permission, invocations = (
        packaged["Resources"][f"{name}{kind}"]["Properties"] for kind in ("Rule", "RulePermission", "Invocations")
    )

    assert rule["ScheduleExpression"] == {"Ref": f"{name}Schedule"}
    assert packaged["Parameters"][f"{name}Schedule"]["Default"] == default
    assert [(one["Arn"], one["Input"]) for one in rule["Targets"]] == [({"Fn::GetAtt": [name, "Arn"]}, "{}")]
    assert (permission["FunctionName"], permission["Principal"]) == ({"Ref": name}, "events.amazonaws.com")
    assert permission["SourceArn"] == {"Fn::GetAtt": [f"{name}Rule", "Arn"]}
    assert (invocations["FunctionName"], invocations["MaximumRetryAttempts"]) == ({"Ref": name}, 0)


class TestAnnouncements:
    """What EventBridge is told."""

    def test_are_of_one_kind(self, packaged: Json) -> None:
        """The function cannot pass for AWS, nor for another application."""
        (telling,) = [one for one in statements(packaged, "announce") if one["Action"] == "events:PutEvents"]

        assert telling["Condition"] == {"StringEquals": {"events:source": SOURCE, "events:detail-type": DETAIL_TYPE}}


class TestTime:
    """How long the functions may take."""

    def test_is_over_in_time(self, packaged: Json) -> None:
        """Or two runs would tell of a Job; after the deadline of an upload there is some left for its status."""
        assert function(packaged, "announce")["Timeout"] < 60
        assert function(packaged, "submit_upload")["Timeout"] == 60 > 2 * RESERVE_SECONDS


class TestCleanup:
    """What it deletes, and when."""

    @pytest.mark.parametrize("name", ["CleanupRetentionSeconds", "CleanupFailedRetentionSeconds"])
    def test_comes_before_the_clusters_own_deletion(self, packaged: Json, name: str) -> None:
        """Which leaves no Receipt."""
        assert packaged["Parameters"][name]["MaxValue"] < render(submission(), ALICE, locked())["spec"][
            "ttlSecondsAfterFinished"
        ]  # fmt: skip
