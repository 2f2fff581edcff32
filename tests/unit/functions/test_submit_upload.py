"""submit_upload: what it makes of an event, what it raises, and what it logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters import bucket
from chalicelib.domain.errors import StorageUnavailable
from infra.local.kubernetes.kinds import JOB
from tests.builders import record
from tests.scripted import unused_url
from tests.uploads import Uploads, handled, invoked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.stack import Stack

DOCUMENT = b'{"image": "busybox", "labels": {"sweep": "7"}}'


@pytest.fixture
def uploads(stack: Stack) -> Uploads:
    """The bucket."""
    return Uploads(stack)


@pytest.fixture
def silent_bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3 does not answer."""
    del stack
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", unused_url())
    bucket.connect.cache_clear()
    yield
    bucket.connect.cache_clear()


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one line that was logged."""
    (written,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(written)
    return found


class TestSubmitted:
    """An upload that is taken."""

    def test_makes_a_job_as_the_buckets_group(self, stack: Stack, uploads: Uploads) -> None:
        """Which the Project's RoleBinding names; the uploader's name is a note."""
        (outcome,) = handled(uploads.put("submit/team-a/marked.json", DOCUMENT, principal="AWS:AIDAEXAMPLE"))

        project, _, name = outcome["job"].partition("/")
        found = next(
            one["metadata"]
            for one in stack.cluster.find(JOB, f"researcher-{project}")
            if one["metadata"]["name"] == name
        )
        assert found["labels"]["sweep"] == "7"
        assert found["annotations"]["researcher.dev/user"] == "s3-researcher-uploads"
        assert found["annotations"]["researcher.dev/uploaded-by"] == "AWS:AIDAEXAMPLE"

    def test_is_logged(self, uploads: Uploads, capsys: pytest.CaptureFixture[str]) -> None:
        """With its key and its Job, in the line of the invocation."""
        outcomes = handled(uploads.put("submit/team-a/logged.json", DOCUMENT))

        told = line(capsys)
        assert (told["function"], told["status"], told["request"]) == ("submit_upload", 200, "invocation-1")
        assert told["uploads"] == outcomes
        assert outcomes[0].items() >= {"outcome": "submitted", "key": "submit/team-a/logged.json"}.items()


class TestRaised:
    """An upload that another try may help."""

    @pytest.mark.usefixtures("silent_bucket")
    def test_is_tried_again_by_lambda(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It raises, and the log says what of."""
        with pytest.raises(StorageUnavailable):
            handled(record())

        told = line(capsys)
        assert (told["status"], told["code"]) == (503, "storage_unavailable")
        assert told["uploads"] == [{"outcome": "failed", "key": record()["s3"]["object"]["key"].replace("%2F", "/"),
                                    "why": "storage_unavailable"}]  # fmt: skip


class TestIgnored:
    """Events that are no uploads."""

    @pytest.mark.parametrize("event", [{}, {"Event": "s3:TestEvent"}, {"Records": [{"s3": None}]}, [], None])
    def test_are_taken_and_logged(self, stack: Stack, capsys: pytest.CaptureFixture[str], event: object) -> None:
        """Whatever they are, another try would not make them better."""
        del stack

        ((outcome),) = invoked(event)

        assert outcome["outcome"] == "ignored"
        assert line(capsys)["uploads"] == [outcome]
