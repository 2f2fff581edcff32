"""submit_job: what it takes, what it refuses, and that a refusal leaves nothing behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.http import MAX_BODY
from infra.local.kubernetes.kinds import JOB
from tests.api import IMAGE, Api

if TYPE_CHECKING:
    from infra.local.stack import Stack

JOB_TYPE = {"Content-Type": "application/json"}
VALID = {"project": "team-a", "image": IMAGE}


def stored(stack: Stack, project: str = "team-a") -> list[str]:
    """The uids of the Jobs that the cluster has in *project*."""
    return [job["metadata"]["uid"] for job in stack.cluster.find(JOB, f"researcher-{project}")]


def only(stack: Stack, name: str) -> dict[str, Any]:
    """The Job of that name in team-a."""
    return next(job for job in stack.cluster.find(JOB, "researcher-team-a") if job["metadata"]["name"] == name)


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

    def test_marks_the_job_with_its_caller(self, stack: Stack, api: Api) -> None:
        """Who asked stands on the Job, from the token and from nothing in the body."""
        api.submit(name="marked", labels={"sweep": "7"}, annotations={"note": "first try"})

        metadata = only(stack, "marked")["metadata"]
        assert metadata["annotations"]["researcher.dev/user"] == "alice"
        assert (metadata["labels"]["sweep"], metadata["annotations"]["note"]) == ("7", "first try")

    def test_asks_the_cluster_strictly(self, stack: Stack, api: Api) -> None:
        """The API server is told to refuse what it does not know, not to drop it."""
        api.submit(name="strict")

        created = [one.target for one in stack.cluster.requests if one.method == "POST" and "/jobs" in one.target]
        assert "fieldValidation=Strict" in created[-1]


BAD_BODIES = [
    pytest.param(b"", 400, id="empty"),
    pytest.param(b"null", 422, id="null"),
    pytest.param(b'{"job": null}', 422, id="no job"),
    pytest.param(b'{"project": "team-a", "image": "x", "project": "team-b"}', 400, id="a key twice"),
    pytest.param(b'{"project": "team-a", "image": "\xff"}', 422, id="not UTF-8, which API Gateway replaces"),
    pytest.param(b" " * (MAX_BODY + 1), 413, id="too large"),
]
"""One of each kind; tests/unit/domain/test_strict.py and tests/security/test_bodies.py have more."""
BAD_FIELDS = [
    pytest.param({"gpu": "1"}, "/gpu", id="a number as text"),
    pytest.param({"name": "../team-b"}, "/name", id="a path as name"),
    pytest.param({"labels": {"researcher.dev/user": "bob"}}, "/labels/researcher.dev~1user", id="a label of ours"),
    pytest.param({"hostNetwork": False}, "/hostNetwork", id="the node's network, declined"),
    pytest.param({"colour": "red"}, "/colour", id="an unknown field"),
    pytest.param({"cpu": 4, "cpuLimit": 2}, "/cpuLimit", id="a limit below the request"),
]
"""One of each kind; tests/unit/domain/test_submission.py and test_fields.py have more."""


class TestRefused:
    """A bad request: nothing is made."""

    @pytest.mark.parametrize(("body", "status"), BAD_BODIES)
    def test_bodies(self, stack: Stack, api: Api, body: bytes, status: int) -> None:
        """A problem document with the right status."""
        before = stored(stack)

        answer = api.ask("POST", "/jobs", content=body, headers=JOB_TYPE)

        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
        assert stored(stack) == before

    @pytest.mark.parametrize(("fields", "pointer"), BAD_FIELDS)
    def test_fields(self, stack: Stack, api: Api, fields: dict[str, object], pointer: str) -> None:
        """422, and the field is named; its value is not repeated."""
        before = stored(stack)

        answer = api.ask("POST", "/jobs", json={**VALID, **fields})

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_job")
        assert {one["pointer"] for one in answer.json()["errors"]} == {pointer}
        assert stored(stack) == before

    def test_secrets_are_not_repeated(self, api: Api) -> None:
        """A refusal holds no value of the environment."""
        secret = "hf_canary4711"

        answer = api.submit(environment={"TOKEN": [secret], "OTHER": secret, "": secret}, gpu=secret)

        assert answer.status_code == 422
        assert secret not in answer.text

    @pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonp"])
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
