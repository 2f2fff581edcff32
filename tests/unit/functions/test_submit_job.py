"""submit_job: what it takes, what it refuses, and that a refusal leaves nothing behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.runtime.http import MAX_BODY
from infra.localcluster.kinds import JOB
from tests.support.api import IMAGE, Api

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

VALID = {"project": "team-a", "image": IMAGE}


def stored(stack: Stack, project: str = "team-a") -> list[str]:
    """The uids of the Jobs that the cluster has in *project*."""
    return [job["metadata"]["uid"] for job in stack.cluster.find(JOB, f"researcher-{project}")]


class TestSubmitted:
    """A good request."""

    def test_is_answered_with_the_job_and_its_place(self, api: Api) -> None:
        """201, a Location that can be followed, and the view that get_job gives."""
        answer = api.submit(name="placed", gpu=1)

        assert answer.status_code == 201
        assert answer.headers["Location"] == "/researcher/api/v1/jobs/team-a/placed"
        assert api.ask("GET", "/jobs/team-a/placed").json()["data"][0]["id"] == answer.json()["id"]

    @pytest.mark.parametrize("wrap", [lambda job: job, lambda job: {"job": job}], ids=["bare", "wrapped"])
    def test_comes_bare_or_as_run_ai_wraps_it(self, api: Api, wrap: Any) -> None:  # noqa: ANN401 - a function
        """Both forms of the body are taken."""
        assert api.ask("POST", "/jobs", json=wrap(VALID)).status_code == 201


INVALID, MALFORMED = (422, "invalid_job"), (400, "malformed_request")
BAD = [
    pytest.param(b"", MALFORMED, None, id="empty"),
    pytest.param(b"null", INVALID, "", id="null"),
    pytest.param(b'{"job": null}', INVALID, "/job", id="no job"),
    pytest.param(b'{"project": "team-a", "image": "x", "project": "team-b"}', MALFORMED, None, id="a key twice"),
    pytest.param(
        b'{"project": "team-a", "image": "\xff"}', INVALID, "/image", id="not UTF-8, which API Gateway replaces"
    ),
    pytest.param(b" " * (MAX_BODY + 1), (413, "body_too_large"), None, id="too large"),
    pytest.param({"gpu": "1"}, INVALID, "/gpu", id="a number as text"),
    pytest.param({"name": "../team-b"}, INVALID, "/name", id="a path as name"),
    pytest.param(
        {"labels": {"researcher.dev/user": "bob"}}, INVALID, "/labels/researcher.dev~1user", id="a label of ours"
    ),
    pytest.param({"hostNetwork": False}, INVALID, "/hostNetwork", id="the node's network, declined"),
    pytest.param({"colour": "red"}, INVALID, "/colour", id="an unknown field"),
    pytest.param({"cpu": 4, "cpuLimit": 2}, INVALID, "/cpuLimit", id="a limit below the request"),
]
"""A body, or fields of one that is else good; status and code; the place that is named.

One of each kind: tests/unit/domain/parsing and submission, and tests/security, have more.
"""


class TestRefused:
    """A bad request: nothing is made."""

    @pytest.mark.parametrize(("body", "refused", "pointer"), BAD)
    def test_bodies(
        self, stack: Stack, api: Api, body: bytes | dict[str, object], refused: tuple[int, str], pointer: str | None
    ) -> None:
        """A problem document with the right status, which names the field."""
        before = stored(stack)
        content = body if isinstance(body, bytes) else json.dumps({**VALID, **body})

        answer = api.ask("POST", "/jobs", content=content, headers={"Content-Type": "application/json"})

        assert (answer.status_code, answer.json()["code"]) == refused
        assert answer.headers["Content-Type"] == "application/problem+json"
        if pointer is not None:
            assert {one["pointer"] for one in answer.json()["errors"]} == {pointer}
        assert stored(stack) == before

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
    def test_other_media_types(self, stack: Stack, api: Api, kind: str) -> None:
        """What is not declared as JSON is not read: no page of another site can submit by a form."""
        before = stored(stack)

        answer = api.ask("POST", "/jobs", content=json.dumps(VALID), headers={"Content-Type": kind})

        assert answer.status_code == 415
        assert stored(stack) == before


class TestRefusedByTheCluster:
    """What the cluster says is passed on readably."""

    def test_quota(self, stack: Stack, api: Api) -> None:
        """A full quota is told in the cluster's words."""
        metadata = {"name": "full", "namespace": "researcher-team-shared"}
        spec = {"hard": {"count/jobs.batch": "0"}}
        stack.cluster.apply([{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}])

        answer = api.submit("team-shared", name="one-too-many")

        assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
        assert "exceeded quota: full, requested: count/jobs.batch=1" in answer.json()["detail"]
        assert stored(stack, "team-shared") == []
