"""Tests of the number of pods and the handling of failures."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.manifest.pod_policy import pod_counts
from tests.support.builders import submission

DISRUPTED = [{"type": "DisruptionTarget", "status": "True"}]
ARRAY: dict[str, Any] = {"indexed": True, "completions": 4}


def rules(**fields: object) -> list[dict[str, Any]]:
    """Return the rules of the podFailurePolicy of a submission with *fields*."""
    policy_rules: list[dict[str, Any]] = pod_counts(submission(**fields))["podFailurePolicy"]["rules"]
    return policy_rules


class TestPods:
    """Tests of parallelism and completions."""

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
        """Completions default to parallelism, so that every pod must succeed."""
        spec = pod_counts(submission(**fields))

        assert expected == (spec["parallelism"], spec["completions"], spec["completionMode"])


class TestLimits:
    """Tests of the backoff limits."""

    @pytest.mark.parametrize(
        ("fields", "limit", "per_index"),
        [
            pytest.param({}, 6, None, id="default"),
            pytest.param({"backoffLimit": 0}, 0, None, id="no retries"),
            pytest.param({**ARRAY, "backoffLimitPerIndex": 1}, None, 1, id="per index"),
            pytest.param({**ARRAY, "backoffLimitPerIndex": 1, "backoffLimit": 9}, 9, 1, id="both"),
        ],
    )
    def test_backoff(self, fields: dict[str, object], limit: int | None, per_index: int | None) -> None:
        """With a limit for each index, there is no default limit for the Job."""
        spec = pod_counts(submission(**fields))

        assert (spec["backoffLimit"], spec["backoffLimitPerIndex"]) == (limit, per_index)


class TestRules:
    """Tests of the podFailurePolicy."""

    def test_no_policy_by_default(self) -> None:
        """Without `retry`, every failure counts, as is the default of Kubernetes."""
        assert pod_counts(submission())["podFailurePolicy"] is None

    def test_disruptions_are_not_counted(self) -> None:
        """With ignoreDisruptions, disrupted pods are replaced without counting a failure."""
        assert rules(retry={"ignoreDisruptions": True}) == [{"action": "Ignore", "onPodConditions": DISRUPTED}]

    @pytest.mark.parametrize(
        ("fields", "action"), [({}, "FailJob"), ({**ARRAY, "backoffLimitPerIndex": 1}, "FailIndex")]
    )
    def test_other_exit_codes_are_not_retried(self, fields: dict[str, Any], action: str) -> None:
        """Other exit codes fail the Job or the index; the codes are sorted, and disruptions only count as failures."""
        not_retried = {"containerName": "main", "operator": "NotIn", "values": [3, 42]}

        disruption, end = rules(**fields, retry={"exitCodes": [42, 3, 42]})

        assert disruption == {"action": "Count", "onPodConditions": DISRUPTED}
        assert end == {"action": action, "onExitCodes": not_retried}
