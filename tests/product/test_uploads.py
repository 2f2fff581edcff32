"""Uploads: what is put below submit/ becomes a Job, and its status tells so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.local.kubernetes.kinds import JOB
from infra.local.stack import BUCKET
from tests.cluster.space import awaited

if TYPE_CHECKING:
    from infra.local.kubernetes.cluster import EmbeddedCluster
    from infra.local.stack import Stack
    from tests.cluster.real_cluster import RealCluster

    AnyCluster = EmbeddedCluster | RealCluster


class TestUploaded:
    """A file in the bucket, and S3 tells of it by itself."""

    @pytest.mark.parametrize(
        ("file", "document"),
        [
            ("train.yaml", "image: busybox\nenvironment:\n  AT: 1:30\n  SURE: yes\n"),
            ("sweep/7/train.json", '{"job": {"project": "team-a", "image": "busybox"}}'),
            ("a b+c%2Bé\\.yml", "{image: busybox}"),
        ],
    )
    def test_becomes_a_job(self, stack: Stack[AnyCluster], file: str, document: str) -> None:
        """The status shows it, as GET does."""
        s3 = boto3.client("s3", **stack.aws.connection)
        s3.put_object(Bucket=BUCKET, Key=f"submit/team-a/{file}", Body=document.encode())

        told = awaited(lambda: _status(s3, f"status/team-a/{file}.json"), lambda found: found is not None)
        s3.close()

        assert told["project"] == "team-a"
        assert told["name"] in jobs_of(stack)
        assert told["user"] == "s3-researcher-uploads"


def _status(s3: Any, key: str) -> Any:  # noqa: ANN401 - botocore's client, JSON
    try:
        return json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None


def jobs_of(stack: Stack[AnyCluster], project: str = "team-a") -> dict[str, Any]:
    """The Project's Jobs, by name."""
    return {one["metadata"]["name"]: one for one in stack.cluster.find(JOB, f"researcher-{project}")}
