"""The schedules of the packaged template, and the permissions of their functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.finished.announcement import DETAIL_TYPE, SOURCE
from chalicelib.domain.manifest.job import render
from chalicelib.runtime.event_handler import RESERVE_SECONDS
from tests.package.packaged_template import function, statements
from tests.support.builders import ALICE, identity, submission

if TYPE_CHECKING:
    from tests.package.packaged_template import Json


@pytest.mark.parametrize(("name", "default"), [("Cleanup", "rate(1 hour)"), ("Announce", "rate(1 minute)")])
def test_rule_invokes_the_function(packaged: Json, name: str, default: str) -> None:
    """Only the rule may invoke the function, with that default rate and without retries, since the next run follows."""
    rule, permission, invocations = (
        packaged["Resources"][f"{name}{kind}"]["Properties"] for kind in ("Rule", "RulePermission", "Invocations")
    )

    assert rule["ScheduleExpression"] == {"Ref": f"{name}Schedule"}
    assert packaged["Parameters"][f"{name}Schedule"]["Default"] == default
    assert [(target["Arn"], target["Input"]) for target in rule["Targets"]] == [({"Fn::GetAtt": [name, "Arn"]}, "{}")]
    assert (permission["FunctionName"], permission["Principal"]) == ({"Ref": name}, "events.amazonaws.com")
    assert permission["SourceArn"] == {"Fn::GetAtt": [f"{name}Rule", "Arn"]}
    assert (invocations["FunctionName"], invocations["MaximumRetryAttempts"]) == ({"Ref": name}, 0)


def test_announcements_have_one_type(packaged: Json) -> None:
    """The function cannot publish events as AWS or as another application."""
    (permission,) = [each for each in statements(packaged, "announce") if each["Action"] == "events:PutEvents"]

    assert permission["Condition"] == {"StringEquals": {"events:source": SOURCE, "events:detail-type": DETAIL_TYPE}}


def test_timeouts_are_consistent(packaged: Json) -> None:
    """Runs do not overlap, an upload's status is written before the timeout, and the TTL follows the cleanup."""
    backstop = render(submission(), ALICE, identity())["spec"]["ttlSecondsAfterFinished"]

    assert function(packaged, "announce")["Timeout"] < 60
    assert function(packaged, "submit_upload")["Timeout"] == 60 > 2 * RESERVE_SECONDS
    for name in ("CleanupRetentionSeconds", "CleanupFailedRetentionSeconds"):
        assert packaged["Parameters"][name]["MaxValue"] < backstop
