"""What a Receipt does not tell: values of variables, and words of a command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.domain.caller import janitor
from chalicelib.domain.manifest import render
from chalicelib.domain.masks import masked_spec, masked_submission
from tests.builders import locked, submission

CANARY = "hunter2-the-canary"
SECRET = {"secret": {"name": "hub", "key": "token"}}
ASKED = {
    "command": f"train --password {CANARY}",
    "arguments": [f"--token={CANARY}", "x"],
    "environment": {"PASSWORD": CANARY, "TOKEN": SECRET},
}


class TestSubmission:
    """What was asked."""

    def test_keeps_names_and_hides_values(self) -> None:
        """How many words there were stays known; a Secret is named, not told."""
        masked = masked_submission(json.loads(submission(**ASKED).as_asked))

        assert masked == {
            "project": "team-a",
            "image": "busybox",
            "command": ["***"] * 3,
            "arguments": ["***"] * 2,
            "environment": {"PASSWORD": "***", "TOKEN": SECRET},
        }

    @pytest.mark.parametrize(
        ("odd", "expected"),
        [
            ({"labels": {"command": "x"}}, {"labels": {"command": "x"}}),
            (None, None),
            ([CANARY], None),
            (CANARY, None),
            ({"environment": [CANARY]}, {"environment": "***"}),
            ({"command": {"x": CANARY}}, {"command": "***"}),
        ],
    )
    def test_odd_one_tells_nothing(self, odd: Any, expected: Any) -> None:  # noqa: ANN401 - JSON
        """Somebody may have written the annotation by hand; a user's labels are no command line."""
        assert expected == masked_submission(odd)


class TestSpec:
    """What ran."""

    def test_of_ours(self) -> None:
        """The variables keep their names, the Secret its name and key, and all else its value."""
        spec = render(submission(gpu=2, **ASKED), janitor(), locked())["spec"]

        masked = masked_spec(spec)

        container = masked["template"]["spec"]["containers"][0]
        assert container["env"] == [
            {"name": "PASSWORD", "value": "***"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
        ]
        assert (container["command"], container["args"]) == (["***"] * 3, ["***"] * 2)
        assert container["resources"] == spec["template"]["spec"]["containers"][0]["resources"]
        assert CANARY not in json.dumps(masked)

    @pytest.mark.parametrize(
        "place",
        [
            {"initContainers": [{"env": [{"name": "A", "value": CANARY}]}]},
            {"containers": [{"lifecycle": {"preStop": {"exec": {"command": ["sh", CANARY]}}}}]},
            {"containers": [{"livenessProbe": {"httpGet": {"httpHeaders": [{"name": "A", "value": CANARY}]}}}]},
            {"containers": [{"command": CANARY}]},
        ],
    )
    def test_of_others(self, place: dict[str, Any]) -> None:
        """Wherever a webhook, or somebody with kubectl, put it."""
        assert CANARY not in json.dumps(masked_spec({"template": {"spec": place}}))
