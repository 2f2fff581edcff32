"""The Secrets that a Job may refer to, for every way to create a Job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3

from chalicelib.domain.labels import SECRETS_ANNOTATION
from infra.kubernetes.project import project_manifests
from infra.local.local_stack import BUCKET
from infra.localcluster.kinds import JOB
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

OTHER: dict[str, Any] = {"environment": {"TOKEN": {"secret": {"name": "other", "key": "k"}}}}
FAILING: dict[str, Any] = {"indexed": True, "completions": 2, "backoffLimitPerIndex": 0}


def names(stack: Stack[Any]) -> set[str]:
    """Return the names of the Project's Jobs."""
    return {job["metadata"]["name"] for job in stack.cluster.find(JOB, "researcher-secrets")}


def upload(stack: Stack[Any]) -> Any:  # noqa: ANN401 - JSON
    """Upload a submission with the unlisted Secret, and return its status."""
    s3 = boto3.client("s3", **stack.aws.connection)
    s3.put_object(Bucket=BUCKET, Key="submit/secrets/a.json", Body=json.dumps({"image": "busybox", **OTHER}).encode())
    listing = {"Bucket": BUCKET, "Prefix": "status/secrets/"}
    eventually(lambda: s3.list_objects_v2(**listing)["KeyCount"], bool)
    problem = json.loads(s3.get_object(Bucket=BUCKET, Key="status/secrets/a.json.json")["Body"].read())
    s3.close()
    return problem


def test_unlisted_secret_is_rejected_everywhere(stack: Stack[Any], api: Api) -> None:
    """An unlisted Secret is rejected in a submission, a dry run, a clone, a retry and an upload, and creates no Job."""
    stack.cluster.apply(project_manifests("secrets", ["team-a"], uploads_bucket=BUCKET, secrets=["hub", "other"]))
    environment = {**OTHER["environment"], SIMULATE_VARIABLE: "exit-3@1"}
    eventually(
        lambda: api.submit("secrets", name="original", **FAILING, environment=environment).status_code, (201).__eq__
    )
    api.await_status("original", "Failed", project="secrets")
    metadata = {"name": "researcher-secrets", "annotations": {SECRETS_ANNOTATION: "hub"}}
    stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    before = names(stack)

    body = {"project": "secrets", "image": "busybox", **OTHER}
    problems = [
        api.submit("secrets", **OTHER).json(),
        api.request("POST", "/jobs?dryRun=true", json=body).json(),
        api.request("POST", "/jobs/secrets/original/clone", json={}).json(),
        api.request("POST", "/jobs/secrets/original/retry").json(),
        upload(stack),
    ]

    assert [problem["code"] for problem in problems] == ["invalid_job"] * 5
    assert {each["pointer"] for problem in problems for each in problem["errors"]} == {"/environment/TOKEN/secret/name"}
    assert all("does not list the Secret other" in problem["errors"][0]["message"] for problem in problems)
    assert names(stack) == before


def test_replay_after_the_secret_was_unlisted(stack: Stack[Any], api: Api) -> None:
    """A replay returns the existing Job; callers without access to the Project learn nothing about its Secrets."""
    environment = {**OTHER["environment"], SIMULATE_VARIABLE: "exit-3@1"}
    response = api.submit("secrets", name="original", **FAILING, environment=environment)

    assert (response.status_code, response.headers["Idempotent-Replayed"]) == (201, "true")
    with Api(stack, "bob") as bob:
        foreign = [bob.submit(project, **OTHER).json() for project in ("secrets", "none")]
    assert [(problem["code"], problem["detail"]) for problem in foreign] == [("forbidden", foreign[0]["detail"])] * 2


def test_listed_secret_is_accepted(api: Api) -> None:
    """A reference to a listed Secret is accepted."""
    assert api.submit(environment={"TOKEN": {"secret": {"name": "hub", "key": "k"}}}).status_code == 201
