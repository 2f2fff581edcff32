"""submit_job: valid and invalid requests, and that an error creates nothing."""

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


def stored_uids(stack: Stack, project: str = "team-a") -> list[str]:
    """Return the uids of the Jobs in *project*."""
    return [job["metadata"]["uid"] for job in stack.cluster.find(JOB, f"researcher-{project}")]


class TestSubmitted:
    """A valid request."""

    def test_response_has_the_job_and_its_location(self, api: Api) -> None:
        """The status is 201, Location is the path of the Job, and the body is the view of get_job."""
        response = api.submit(name="placed", gpu=1)

        assert response.status_code == 201
        assert response.headers["Location"] == "/researcher/api/v1/jobs/team-a/placed"
        assert api.request("GET", "/jobs/team-a/placed").json()["data"][0]["id"] == response.json()["id"]

    @pytest.mark.parametrize("wrap", [lambda job: job, lambda job: {"job": job}], ids=["bare", "wrapped"])
    def test_bare_or_wrapped_body(self, api: Api, wrap: Any) -> None:  # noqa: ANN401 - a function
        """Both forms of the body are accepted."""
        assert api.request("POST", "/jobs", json=wrap(VALID)).status_code == 201


INVALID, MALFORMED = (422, "invalid_job"), (400, "malformed_request")
REJECTED = [
    pytest.param(b"", MALFORMED, None, id="empty"),
    pytest.param(b"null", INVALID, "", id="null"),
    pytest.param(b'{"job": null}', INVALID, "/job", id="null job"),
    pytest.param(b'{"project": "team-a", "image": "x", "project": "team-b"}', MALFORMED, None, id="duplicate key"),
    pytest.param(
        b'{"project": "team-a", "image": "\xff"}', INVALID, "/image", id="not UTF-8, which API Gateway replaces"
    ),
    pytest.param(b" " * (MAX_BODY + 1), (413, "body_too_large"), None, id="too large"),
    pytest.param({"gpu": "1"}, INVALID, "/gpu", id="number as string"),
    pytest.param({"name": "../team-b"}, INVALID, "/name", id="path as name"),
    pytest.param(
        {"labels": {"researcher.dev/user": "bob"}}, INVALID, "/labels/researcher.dev~1user", id="reserved label"
    ),
    pytest.param({"hostNetwork": False}, INVALID, "/hostNetwork", id="unsupported field"),
    pytest.param({"colour": "red"}, INVALID, "/colour", id="unknown field"),
    pytest.param({"cpu": 4, "cpuLimit": 2}, INVALID, "/cpuLimit", id="limit below the request"),
]
"""A body, or fields of an otherwise valid one; status and code; the path of the invalid field.

One case of each kind; tests/unit/domain/parsing and submission, and tests/security, have more.
"""


class TestRejected:
    """An invalid request: nothing is created."""

    @pytest.mark.parametrize(("body", "expected", "pointer"), REJECTED)
    def test_bodies(
        self, stack: Stack, api: Api, body: bytes | dict[str, object], expected: tuple[int, str], pointer: str | None
    ) -> None:
        """The response is a problem document with the status and the path of the field."""
        before = stored_uids(stack)
        content = body if isinstance(body, bytes) else json.dumps({**VALID, **body})

        response = api.request("POST", "/jobs", content=content, headers={"Content-Type": "application/json"})

        assert (response.status_code, response.json()["code"]) == expected
        assert response.headers["Content-Type"] == "application/problem+json"
        if pointer is not None:
            assert {error["pointer"] for error in response.json()["errors"]} == {pointer}
        assert stored_uids(stack) == before

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
    def test_other_media_types(self, stack: Stack, api: Api, kind: str) -> None:
        """A body that is not declared as JSON is not read, so a form of another site cannot submit a Job."""
        before = stored_uids(stack)

        response = api.request("POST", "/jobs", content=json.dumps(VALID), headers={"Content-Type": kind})

        assert response.status_code == 415
        assert stored_uids(stack) == before


class TestRejectedByTheCluster:
    """The message of the cluster is passed on."""

    def test_quota(self, stack: Stack, api: Api) -> None:
        """The error of an exceeded quota has the cluster's message."""
        metadata = {"name": "full", "namespace": "researcher-team-shared"}
        spec = {"hard": {"count/jobs.batch": "0"}}
        stack.cluster.apply([{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}])

        response = api.submit("team-shared", name="one-too-many")

        assert (response.status_code, response.json()["code"]) == (403, "quota_exceeded")
        assert "exceeded quota: full, requested: count/jobs.batch=1" in response.json()["detail"]
        assert stored_uids(stack, "team-shared") == []
