"""How many pods, and what their failures mean."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.manifest.pod_policy import pod_counts
from tests.support.builders import submission

DISRUPTED = [{"type": "DisruptionTarget", "status": "True"}]
ARRAY: dict[str, Any] = {"indexed": True, "completions": 4}


def rules(**fields: object) -> list[dict[str, Any]]:
    """The rules for failed pods of a submission with *fields*."""
    found: list[dict[str, Any]] = pod_counts(submission(**fields))["podFailurePolicy"]["rules"]
    return found


class TestPods:
    """How many pods."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"parallelism": 3}, (3, 3, "NonIndexed")),
            ({"parallelism": 3, "completions": 5}, (3, 5, "NonIndexed")),
            ({"completions": 2, "indexed": True}, (1, 2, "Indexed")),
            ({"nodes": 3}, (3, 3, "Indexed")),
        ],
    )
    def test_completions(self, fields: dict[str, object], expected: tuple[int, int, str]) -> None:
        """Without completions each pod must succeed once: a work queue would end with the first."""
        spec = pod_counts(submission(**fields))

        assert expected == (spec["parallelism"], spec["completions"], spec["completionMode"])


class TestLimits:
    """How many failures."""

    @pytest.mark.parametrize(
        ("fields", "together", "each"),
        [
            pytest.param({}, 6, None, id="as Kubernetes has it"),
            pytest.param({"backoffLimit": 0}, 0, None, id="none"),
            pytest.param({**ARRAY, "backoffLimitPerIndex": 1}, None, 1, id="each index has its own"),
            pytest.param({**ARRAY, "backoffLimitPerIndex": 1, "backoffLimit": 9}, 9, 1, id="both"),
        ],
    )
    def test_backoff(self, fields: dict[str, object], together: int | None, each: int | None) -> None:
        """Where each index has a limit, six failures of a thousand do not end the rest unasked."""
        spec = pod_counts(submission(**fields))

        assert (spec["backoffLimit"], spec["backoffLimitPerIndex"]) == (together, each)


class TestRules:
    """`retry`."""

    def test_nothing_is_said_unasked(self) -> None:
        """Every failure counts, as Kubernetes has it."""
        assert pod_counts(submission())["podFailurePolicy"] is None

    def test_disruptions_are_not_counted(self) -> None:
        """A pod that lost its node is replaced as often as it takes."""
        assert rules(retry={"ignoreDisruptions": True}) == [{"action": "Ignore", "onPodConditions": DISRUPTED}]

    @pytest.mark.parametrize(
        ("fields", "action"), [({}, "FailJob"), ({**ARRAY, "backoffLimitPerIndex": 1}, "FailIndex")]
    )
    def test_other_exit_codes_end_the_job(self, fields: dict[str, Any], action: str) -> None:
        """Or their index alone. The codes stand in order and once; a pod killed for another, by 137, counts only."""
        others = {"containerName": "main", "operator": "NotIn", "values": [3, 42]}

        disruption, end = rules(**fields, retry={"exitCodes": [42, 3, 42]})

        assert disruption == {"action": "Count", "onPodConditions": DISRUPTED}
        assert end == {"action": action, "onExitCodes": others}
