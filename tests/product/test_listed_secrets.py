"""Which Secrets a Job may name, however it comes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3

from chalicelib.domain.labels import SECRETS_ANNOTATION
from infra.kubernetes.project import project_manifests
from infra.local.local_stack import BUCKET
from infra.localcluster.kinds import JOB
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

OTHER: dict[str, Any] = {"environment": {"TOKEN": {"secret": {"name": "other", "key": "k"}}}}
FAILS: dict[str, Any] = {"indexed": True, "completions": 2, "backoffLimitPerIndex": 0}


def names(stack: Stack[Any]) -> set[str]:
    """The Jobs of the Project."""
    return {job["metadata"]["name"] for job in stack.cluster.find(JOB, "researcher-secrets")}


def uploaded(stack: Stack[Any]) -> Any:  # noqa: ANN401 - JSON
    """The status of an upload that names the other Secret."""
    s3 = boto3.client("s3", **stack.aws.connection)
    s3.put_object(Bucket=BUCKET, Key="submit/secrets/a.json", Body=json.dumps({"image": "busybox", **OTHER}).encode())
    listing = {"Bucket": BUCKET, "Prefix": "status/secrets/"}
    eventually(lambda: s3.list_objects_v2(**listing)["KeyCount"], bool)
    told = json.loads(s3.get_object(Bucket=BUCKET, Key="status/secrets/a.json.json")["Body"].read())
    s3.close()
    return told


def test_unlisted_secret_is_refused_on_every_way(stack: Stack[Any], api: Api) -> None:
    """Submitted, in a dry run, cloned, retried and uploaded: 422 at the variable, and no Job is made."""
    stack.cluster.apply(project_manifests("secrets", ["team-a"], uploads_bucket=BUCKET, secrets=["hub", "other"]))
    environment = {**OTHER["environment"], SIMULATE_VARIABLE: "exit-3@1"}
    eventually(
        lambda: api.submit("secrets", name="original", **FAILS, environment=environment).status_code, (201).__eq__
    )
    api.await_status("original", "Failed", project="secrets")
    metadata = {"name": "researcher-secrets", "annotations": {SECRETS_ANNOTATION: "hub"}}
    stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    before = names(stack)

    asked = {"project": "secrets", "image": "busybox", **OTHER}
    refused = [
        api.submit("secrets", **OTHER).json(),
        api.ask("POST", "/jobs?dryRun=true", json=asked).json(),
        api.ask("POST", "/jobs/secrets/original/clone", json={}).json(),
        api.ask("POST", "/jobs/secrets/original/retry").json(),
        uploaded(stack),
    ]

    assert [told["code"] for told in refused] == ["invalid_job"] * 5
    assert {one["pointer"] for told in refused for one in told["errors"]} == {"/environment/TOKEN/secret/name"}
    assert all("does not list the Secret other" in told["errors"][0]["message"] for told in refused)
    assert names(stack) == before


def test_replay_finds_the_job_of_a_secret_that_was_listed(stack: Stack[Any], api: Api) -> None:
    """What would be refused today was made yesterday; who may not use the Project is told nothing."""
    environment = {**OTHER["environment"], SIMULATE_VARIABLE: "exit-3@1"}
    again = api.submit("secrets", name="original", **FAILS, environment=environment)

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    with Api(stack, "bob") as bob:
        foreign = [bob.submit(project, **OTHER).json() for project in ("secrets", "none")]
    assert [(told["code"], told["detail"]) for told in foreign] == [("forbidden", foreign[0]["detail"])] * 2


def test_listed_secret_is_taken(api: Api) -> None:
    """As any value is."""
    assert api.submit(environment={"TOKEN": {"secret": {"name": "hub", "key": "k"}}}).status_code == 201
