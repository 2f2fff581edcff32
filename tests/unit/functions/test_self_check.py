"""self_check: its event and its result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from infra.local.local_stack import Stack


def invoke(stack: Stack, document: object) -> dict[str, Any]:
    """Return the response of Lambda, with the result."""
    response = boto3.client("lambda", **stack.aws.connection).invoke(
        FunctionName="self_check", Payload=json.dumps(document).encode()
    )
    return {"failed": "FunctionError" in response, "result": json.loads(response["Payload"].read())}


def test_result_has_each_check(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A check that fails is part of the result and of the metrics, and the invocation succeeds."""
    response = invoke(stack, {"groups": ["researcher:team-a", "researcher:by-hand"]})

    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not response["failed"]
    assert {each["name"]: each["outcome"] for each in response["result"]} == {
        "issuer": "ok",
        "role": "ok",
        "cluster": "ok",
        "access_entry": "ok",
        "own_rights": "ok",
        "impersonation": "failed",
    }
    assert response["result"][-1]["missing"] == ["researcher:by-hand"]
    assert (line["function"], line["Failed"]) == ("self_check", 1)


@pytest.mark.parametrize(
    "document",
    [
        {"groups": ["system:masters"]},
        {"groups": ["researcher:"]},
        {"groups": ["researcher:a\r\nImpersonate-Group: system:masters"]},
        {"groups": ["researcher:a "]},
        {"groups": "researcher:a"},
        {"groups": ["researcher:a"] * 501},
        {"group": []},
        [],
        None,
    ],
)
def test_other_events_are_rejected(stack: Stack, document: object) -> None:
    """Only groups with the prefix of this API are impersonated, and none that could break out of a header."""
    assert invoke(stack, document)["failed"]
