"""Uploads: a file below submit/ becomes a Job, and its status has the Job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from chalicelib.adapters.aws import bucket
from infra.local.local_stack import BUCKET
from infra.localcluster.kinds import JOB
from tests.support.eventually import eventually
from tests.support.scripted_server import unused_url

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster

    AnyCluster = EmbeddedCluster | RealCluster


class TestUploaded:
    """A file in the bucket, whose event S3 sends by itself."""

    @pytest.mark.parametrize(
        ("file", "document"),
        [
            ("train.yaml", "image: busybox\nenvironment:\n  AT: 1:30\n  SURE: yes\n"),
            ("sweep/7/train.json", '{"job": {"project": "team-a", "image": "busybox"}}'),
            ("a b+c%2Bé\\.yml", "{image: busybox}"),
        ],
    )
    def test_becomes_a_job(self, stack: Stack[AnyCluster], file: str, document: str) -> None:
        """The status object has the view of the new Job."""
        s3 = boto3.client("s3", **stack.aws.connection)
        s3.put_object(Bucket=BUCKET, Key=f"submit/team-a/{file}", Body=document.encode())

        status = eventually(lambda: _status(s3, f"status/team-a/{file}.json"), lambda found: found is not None)
        s3.close()

        assert status["project"] == "team-a"
        assert status["name"] in jobs_of(stack)
        assert status["user"] == "s3-researcher-uploads"

    def test_failed_event_is_in_the_dead_letter_queue(
        self, stack: Stack[AnyCluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An event that fails on all attempts is in the queue, for infra.commands.replay_uploads."""
        s3, sqs = (boto3.client(name, **stack.aws.connection) for name in ("s3", "sqs"))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", unused_url())
        bucket.connect.cache_clear()
        s3.put_object(Bucket=BUCKET, Key="submit/team-a/lost.json", Body=b'{"image": "busybox"}')

        found = eventually(
            lambda: sqs.receive_message(QueueUrl=stack.failures_url), lambda received: "Messages" in received
        )
        bucket.connect.cache_clear()

        (failed,) = (json.loads(each["Body"]) for each in found["Messages"])
        assert failed["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "submit/team-a/lost.json"
        assert failed["requestContext"]["approximateInvokeCount"] == 3
        assert failed["responsePayload"]["errorType"] == "StorageUnavailable"


def _status(s3: Any, key: str) -> Any:  # noqa: ANN401 - botocore's client, JSON
    try:
        return json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None


def jobs_of(stack: Stack[AnyCluster], project: str = "team-a") -> dict[str, Any]:
    """Return the Project's Jobs by name."""
    return {each["metadata"]["name"]: each for each in stack.cluster.find(JOB, f"researcher-{project}")}
