"""Tests of the redaction of submissions and specs."""

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
FIELDS = {
    "command": f"train --password {CANARY}",
    "arguments": [f"--token={CANARY}", "x"],
    "environment": {"PASSWORD": CANARY, "TOKEN": SECRET},
}
REDACTED_FIELDS = {"command", "script", "arguments"}
"""Fields of a submission that are redacted entirely; `environment` keeps names and references to Secrets."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def strings_of(value: Any) -> set[str]:  # noqa: ANN401 - JSON
    """Return all strings in *value*, except names of fields."""
    if isinstance(value, dict):
        return set().union(*(strings_of(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(strings_of(each) for each in value))
    return {value} if isinstance(value, str) else set()


class TestRedactSubmission:
    """Tests of redact_submission."""

    def test_values_are_redacted(self) -> None:
        """Values of variables and arguments are redacted; their number and references to Secrets are kept."""
        assert redact_submission(json.loads(submission(**FIELDS).as_submitted)) == {
            "project": "team-a",
            "image": "busybox",
            "command": ["***"] * 3,
            "arguments": ["***"] * 2,
            "environment": {"PASSWORD": "***", "TOKEN": SECRET},
        }

    def test_new_fields_are_redacted(self) -> None:
        """A new field of the model is redacted until it is on the allow list."""
        names = {field.alias for field in Submission.model_fields.values()}

        kept = {name for name in names if redact_submission({name: 1}) == {name: 1}}

        assert kept == names - REDACTED_FIELDS - {"environment", "retry", "pvc", "labels", "annotations"}

    @pytest.mark.parametrize(
        ("value", "expected"),
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
    def test_edited_annotation_is_redacted(self, value: Any, expected: Any) -> None:  # noqa: ANN401 - JSON
        """Users can edit the annotation: values of other types, and wrapped submissions, are redacted, too."""
        assert expected == redact_submission(value)


class TestRedactSpec:
    """Tests of redact_spec."""

    def test_job_of_this_api(self) -> None:
        """Only values of variables and arguments are redacted in the spec of a rendered Job."""
        spec = render(
            submission(gpu=2, largeShm=True, nodeType="p5", retry={"exitCodes": [3]}, **FIELDS),
            Caller.janitor(),
            identity(),
        )
        original = spec["spec"]

        redacted = redact_spec(original)

        container, source = (each["template"]["spec"]["containers"][0] for each in (redacted, original))
        assert {"name": "PASSWORD", "value": "***"} in container["env"]
        assert {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}} in container["env"]
        assert (container["command"], container["args"]) == (["***"] * 3, ["***"] * 2)
        for field in ("env", "command", "args"):
            del container[field], source[field]
        assert redacted == original

    @pytest.mark.parametrize(
        "pod_spec",
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
    def test_job_of_another_client(self, pod_spec: dict[str, Any]) -> None:
        """A value that a webhook or kubectl adds is redacted in any field."""
        assert CANARY not in json.dumps(redact_spec({"template": {"spec": pod_spec}}))

    @given(JSON)
    def test_unlisted_values_are_redacted(self, value: Any) -> None:  # noqa: ANN401 - JSON
        """All strings below a field that is not on the allow list are redacted, for any JSON."""
        unlisted = {"new": value, "template": {"spec": {"new": value}, "new": value}}

        assert strings_of(redact_spec(unlisted)) <= {REDACTED}
        assert strings_of(redact_submission(unlisted)) <= {REDACTED}
        msgspec.json.encode([redact_spec(value), redact_submission({"pvc": value, "environment": value})])
