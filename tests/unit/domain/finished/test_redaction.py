"""What is shown of a Job to those who must not see what its variables and its command hold."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.caller import Caller
from chalicelib.domain.finished.redaction import REDACTED, redact_spec, redact_submission
from chalicelib.domain.manifest.job import render
from chalicelib.domain.submission.model import Submission
from tests.support.builders import identity, submission

CANARY = "hunter2-the-canary"
SECRET = {"secret": {"name": "hub", "key": "token"}}
ASKED = {
    "command": f"train --password {CANARY}",
    "arguments": [f"--token={CANARY}", "x"],
    "environment": {"PASSWORD": CANARY, "TOKEN": SECRET},
}
MASKED_FIELDS = {"command", "arguments"}
"""Fields of a submission that are masked as a whole; `environment` keeps its names and its Secrets."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def strings_of(value: Any) -> set[str]:  # noqa: ANN401 - JSON
    """Every string in *value* that is not the name of a field."""
    if isinstance(value, dict):
        return set().union(*(strings_of(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(strings_of(one) for one in value))
    return {value} if isinstance(value, str) else set()


class TestSubmission:
    """The request that made the Job."""

    def test_keeps_names_and_hides_values(self) -> None:
        """The number of words stays known; a Secret is named and not read."""
        assert redact_submission(json.loads(submission(**ASKED).as_submitted)) == {
            "project": "team-a",
            "image": "busybox",
            "command": ["***"] * 3,
            "arguments": ["***"] * 2,
            "environment": {"PASSWORD": "***", "TOKEN": SECRET},
        }

    def test_every_field_is_shown_or_masked_by_decision(self) -> None:
        """A field that the model gets is masked until it is listed, in redaction or in this test."""
        names = {field.alias for field in Submission.model_fields.values()}

        shown = {name for name in names if redact_submission({name: 1}) == {name: 1}}

        assert shown == names - MASKED_FIELDS - {"environment", "retry", "pvc", "labels", "annotations"}

    @pytest.mark.parametrize(
        ("odd", "expected"),
        [
            ({"labels": {"command": "x"}}, {"labels": {"command": "x"}}),
            (None, None),
            ([CANARY], None),
            (CANARY, None),
            ({"environment": [CANARY]}, {"environment": [REDACTED]}),
            ({"environment": {"A": {"value": CANARY}}}, {"environment": {"A": {"value": REDACTED}}}),
            ({"environment": {"A": {"secret": CANARY}}}, {"environment": {"A": {"secret": REDACTED}}}),
            ({"pvc": [{"path": [CANARY]}]}, {"pvc": [{"path": [REDACTED]}]}),
            ({"command": {"x": CANARY}}, {"command": REDACTED}),
            ({"image": {"x": CANARY}}, {"image": REDACTED}),
            ({"job": {"command": [CANARY]}}, {"command": [REDACTED]}),
            ({"job": {"job": {"command": [CANARY]}}}, {"job": REDACTED}),
            ({"job": CANARY}, {"job": REDACTED}),
            ({"job": {}, "script": CANARY}, {"job": REDACTED, "script": REDACTED}),
        ],
    )  # fmt: skip
    def test_whatever_is_written_by_hand_is_masked(self, odd: Any, expected: Any) -> None:  # noqa: ANN401 - JSON
        """Whoever may write Jobs may write the annotation, in any shape, and in the wrapped form of a request."""
        assert expected == redact_submission(odd)


class TestSpec:
    """The spec that ran."""

    def test_of_ours(self) -> None:
        """The variables keep their names, the Secret its name and key, and all else its value."""
        spec = render(
            submission(gpu=2, largeShm=True, nodeType="p5", retry={"exitCodes": [3]}, **ASKED),
            Caller.janitor(),
            identity(),
        )
        whole = spec["spec"]

        redacted = redact_spec(whole)

        container, ours = redacted["template"]["spec"]["containers"][0], whole["template"]["spec"]["containers"][0]
        assert {"name": "PASSWORD", "value": "***"} in container["env"]
        assert {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}} in container["env"]
        assert (container["command"], container["args"]) == (["***"] * 3, ["***"] * 2)
        for field in ("env", "command", "args"):
            del container[field], ours[field]
        assert redacted == whole

    @pytest.mark.parametrize(
        "place",
        [
            {"initContainers": [{"env": [{"name": "A", "value": CANARY}]}]},
            {"containers": [{"lifecycle": {"preStop": {"exec": {"command": ["sh", CANARY]}}}}]},
            {"containers": [{"livenessProbe": {"httpGet": {"httpHeaders": [{"name": "A", "value": CANARY}]}}}]},
            {"containers": [{"command": CANARY}]},
            {"containers": [{"aNewField": CANARY}]},
            {"containers": [{"image": [CANARY]}]},
            {"ephemeralContainers": [{"image": CANARY}]},
            {"hostAliases": [{"hostnames": [CANARY]}]},
            {"volumes": [{"csi": {"volumeAttributes": {"password": CANARY}}}]},
            {"volumes": [{"configMap": {"items": [{"key": CANARY}]}}]},
        ],
    )
    def test_of_others(self, place: dict[str, Any]) -> None:
        """Wherever a webhook, or somebody with kubectl, put it."""
        assert CANARY not in json.dumps(redact_spec({"template": {"spec": place}}))

    @given(JSON)
    def test_no_unlisted_value_is_shown(self, value: Any) -> None:  # noqa: ANN401 - JSON
        """Under a field that nobody listed, every string becomes a mask; what is listed may be any JSON."""
        unlisted = {"new": value, "template": {"spec": {"new": value}, "new": value}}

        assert strings_of(redact_spec(unlisted)) <= {REDACTED}
        assert strings_of(redact_submission(unlisted)) <= {REDACTED}
        msgspec.json.encode([redact_spec(value), redact_submission({"pvc": value, "environment": value})])
