"""self_check: its event and its result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.local.local_stack import clear_caches
from infra.local.signing_keys import SigningKeys
from tests.support.configuration import configuration_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that changes the token issuers of the functions."""

    def change(*issuers: object) -> None:
        monkeypatch.setenv("CONFIGURATION_FILE", configuration_file(tokenIssuers=issuers))
        clear_caches()

    yield change
    clear_caches()


def test_issuer_whose_keys_are_given_is_sent_no_request(stack: Stack, configure: Callable[..., None]) -> None:
    """The functions need not reach it, and each of the others must publish its keys."""
    given = {"issuer": "https://a.invalid", "audiences": ["a"], "prefix": "a:", "keySet": SigningKeys().jwks()}
    unreachable = ["https://b.invalid", "https://c.invalid"]
    others = [{"issuer": url, "audiences": ["a"], "prefix": url[8:10]} for url in unreachable]

    checks = []
    for issuers in ([given], [given, *others]):
        configure(*issuers)
        checks.append(invoke(stack, {})["result"][0])

    reasons = "; ".join(f"issuer: name_resolution ({url})" for url in unreachable)
    assert [(each["outcome"], each["why"]) for each in checks] == [("ok", None), ("failed", reasons)]


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
