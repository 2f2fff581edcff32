"""`include=submission`: the request that created a Job, masked for callers who may not create Jobs in the Project."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import project_manifests
from tests.product.by_hand import by_hand
from tests.support.api import IMAGE, Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

CANARY = "hunter2-the-canary"
SECRET = {"secret": {"name": "hub", "key": "token"}}
BODY: dict[str, Any] = {
    "image": IMAGE,
    "gpu": 1,
    "command": ["train", CANARY],
    "arguments": ["--key", CANARY],
    "environment": {"PASSWORD": CANARY, "TOKEN": SECRET},
    "labels": {"sweep": "7"},
}
MASKED = {
    **BODY,
    "command": ["***", "***"],
    "arguments": ["***", "***"],
    "environment": {"PASSWORD": "***", "TOKEN": SECRET},
}


@pytest.fixture(scope="module")
def callers(stack: Stack) -> Iterator[dict[str, Api]]:
    """Return a client for bob, who may create Jobs in the Project `seen`, and for alice, who may only view them."""
    stack.cluster.apply(project_manifests("seen", ["team-b"], ["team-a"], secrets=["hub"]))
    with Api(stack, "alice") as alice, Api(stack, "bob") as bob:
        yield {"alice": alice, "bob": bob}


@pytest.fixture(scope="module")
def name(callers: dict[str, Api]) -> str:
    """Submit a Job with values that may be secret, and return its name."""
    name = f"included-{secrets.token_hex(4)}"
    created = eventually(
        lambda: callers["bob"].submit("seen", name=name, **BODY), lambda response: response.status_code != 403
    )
    assert created.status_code == 201
    return name


def shown(api: Api, path: str) -> dict[str, Any]:
    """Return the Job at *path*."""
    view: dict[str, Any] = api.request("GET", f"{path}?include=submission").raise_for_status().json()["data"][0]
    return view


@pytest.mark.parametrize(("caller", "expected"), [("bob", BODY), ("alice", MASKED)])
def test_submission(callers: dict[str, Api], name: str, caller: str, expected: dict[str, Any]) -> None:
    """Who may create Jobs sees the request; who may not sees neither plain values nor words of the command."""
    view = shown(callers[caller], f"/jobs/seen/{name}")

    assert view["submission"] == {"project": "seen", "name": name, **expected}


def test_plain_get_is_unchanged(callers: dict[str, Api], name: str) -> None:
    """Without the parameter there is no such field, not even null, and the ETag is that of this response alone."""
    plain, included = (
        callers["bob"].request("GET", f"/jobs/seen/{name}{query}") for query in ("", "?include=submission")
    )

    assert "submission" not in plain.json()["data"][0]
    assert CANARY not in plain.text
    assert plain.headers["ETag"] != included.headers["ETag"]
    again = callers["bob"].request(
        "GET", f"/jobs/seen/{name}?include=submission", headers={"If-None-Match": included.headers["ETag"]}
    )
    assert again.status_code in {200, 304}


@pytest.mark.parametrize("annotation", [None, "", "no JSON", "[1]", '"text"', "1e999", '{"a":' * 40 + "1" + "}" * 40])
def test_unknown_submission(stack: Stack, callers: dict[str, Api], annotation: str | None) -> None:
    """The submission of a Job that this API did not create, or whose annotation a user has broken, is null."""
    annotations = {} if annotation is None else {"researcher.dev/submission": annotation}
    metadata = {"name": f"by-hand-{secrets.token_hex(4)}", "namespace": "researcher-seen", "annotations": annotations}
    stack.cluster.apply([by_hand(metadata)])

    assert shown(callers["alice"], f"/jobs/seen/{metadata['name']}")["submission"] is None


def test_hostile_submission_is_masked(stack: Stack, callers: dict[str, Api]) -> None:
    """Whatever a user writes into the annotation, a viewer sees only listed fields with values of their types."""
    document = {"image": {"nested": CANARY}, "script": CANARY, "environment": [CANARY], CANARY[:7]: CANARY}
    annotations = {"researcher.dev/submission": json.dumps(document)}
    metadata = {"name": f"hostile-{secrets.token_hex(4)}", "namespace": "researcher-seen", "annotations": annotations}
    stack.cluster.apply([by_hand(metadata)])

    assert CANARY not in json.dumps(shown(callers["alice"], f"/jobs/seen/{metadata['name']}"))
