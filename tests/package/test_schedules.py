"""The packaged template: what runs by the clock, and what it may do then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.finished.announcement import DETAIL_TYPE, SOURCE
from chalicelib.domain.manifest.job import render
from chalicelib.runtime.event_handler import RESERVE_SECONDS
from tests.package.reading import function, statements
from tests.support.builders import ALICE, identity, submission

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


def test_announcements_are_of_one_kind(packaged: Json) -> None:
    """The function cannot pass for AWS, nor for another application."""
    (telling,) = [one for one in statements(packaged, "announce") if one["Action"] == "events:PutEvents"]

    assert telling["Condition"] == {"StringEquals": {"events:source": SOURCE, "events:detail-type": DETAIL_TYPE}}


def test_times_agree(packaged: Json) -> None:
    """No two runs tell of a Job; an upload's status is told in time; the TTL, without a Receipt, comes last."""
    backstop = render(submission(), ALICE, identity())["spec"]["ttlSecondsAfterFinished"]

    assert function(packaged, "announce")["Timeout"] < 60
    assert function(packaged, "submit_upload")["Timeout"] == 60 > 2 * RESERVE_SECONDS
    for name in ("CleanupRetentionSeconds", "CleanupFailedRetentionSeconds"):
        assert packaged["Parameters"][name]["MaxValue"] < backstop
