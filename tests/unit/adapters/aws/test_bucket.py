"""The bucket: what is read and written there, under which conditions, and what its refusals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.aws import bucket
from chalicelib.adapters.aws.bucket import Bucket, ObjectChangedError
from chalicelib.domain.errors import StorageUnavailable
from infra.local.aws import LocalAws
from infra.local.wire import HttpResponse
from tests.support.builders import deployment
from tests.support.scripted_server import unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scripted_server import ScriptedServer

NAME = "researcher-uploads"
KEY = "submit/team-a/ä +1.json"
LIMIT = 100


pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """S3 on loopback."""
    with LocalAws() as aws:
        aws.create_bucket(NAME)
        yield aws


@pytest.fixture
def stored(aws: LocalAws, environment: pytest.MonkeyPatch) -> Bucket:
    """The bucket of a deployment."""
    environment.setenv("AWS_ENDPOINT_URL", aws.url)
    return bucket.connect(deployment(uploads_bucket=NAME, uploads_bucket_owner="123456789012"))


@pytest.fixture
def scripted(site: ScriptedServer, environment: pytest.MonkeyPatch) -> Bucket:
    """A bucket whose answers the test tells."""
    environment.setenv("AWS_ENDPOINT_URL", site.url)
    environment.setenv("AWS_MAX_ATTEMPTS", "1")
    return bucket.connect(deployment(uploads_bucket=NAME, uploads_bucket_owner="123456789012"))


def refusal(code: str, status: int) -> HttpResponse:
    """S3 says no."""
    return HttpResponse(status, [("Content-Type", "application/xml")], f"<Error><Code>{code}</Code></Error>".encode())


class TestPut:
    """What is stored."""

    def test_is_found_again(self, stored: Bucket) -> None:
        """Body and metadata, under any key."""
        stored.put(KEY, b"{}", {"sequencer": "1"}, replacing=None)

        found = stored.find(KEY, LIMIT)

        assert found
        assert (found.body, found.metadata) == (b"{}", {"sequencer": "1"})

    def test_takes_the_place_of_what_was_found_and_nothing_else(self, stored: Bucket) -> None:
        """Somebody else was faster, and what they wrote stays; no more than the limit is read of it."""
        stored.put("raced", b"1", replacing=None)
        seen = stored.find("raced", LIMIT)
        stored.put("raced", b"2" * 1000, replacing=seen)

        for known in (None, seen):
            with pytest.raises(ObjectChangedError):
                stored.put("raced", b"3", replacing=known)

        assert (found := stored.find("raced", LIMIT))
        assert found.body == b"2" * LIMIT

    @pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
    def test_knows_every_way_to_be_late(self, scripted: Bucket, site: ScriptedServer, code: str) -> None:
        """Two conditional writes that meet, or a deletion in between; S3 compares the bucket's owner, too."""
        site.on(f"/{NAME}/raced", refusal(code, 409))

        with pytest.raises(ObjectChangedError):
            scripted.put("raced", b"1", replacing=None)

        (asked,) = site.asked
        assert asked.values("x-amz-expected-bucket-owner") == ["123456789012"]
        assert asked.values("If-None-Match") == ["*"]


class TestFind:
    """What is read."""

    def test_nothing_is_none(self, stored: Bucket) -> None:
        """No such key, or no such version of it."""
        stored.put("there", b"1", replacing=None)

        assert stored.find("nowhere", LIMIT) is None
        assert stored.find("there", LIMIT, version="00000000-0000-0000-0000-000000000000") is None

    def test_another_etag_is_told(self, stored: Bucket) -> None:
        """The object was overwritten since the event."""
        stored.put("tagged", b"1", replacing=None)

        with pytest.raises(ObjectChangedError):
            stored.find("tagged", LIMIT, etag='"00000000000000000000000000000000"')


class TestRefusals:
    """What S3 does not do."""

    @pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("AccessDenied", 403)])
    def test_are_unavailable_storage(self, scripted: Bucket, site: ScriptedServer, code: str, status: int) -> None:
        """Whatever the reason, trying again is all there is to do; a missing right is told as such."""
        site.on(f"/{NAME}/key", refusal(code, status))

        with pytest.raises(StorageUnavailable) as reading:
            scripted.find("key", LIMIT)
        with pytest.raises(StorageUnavailable) as writing:
            scripted.put("key", b"1", replacing=None)

        assert ("Report this to the operators of this API" in reading.value.detail) == (code == "AccessDenied")
        assert reading.value.detail == writing.value.detail

    @pytest.mark.parametrize("body", [b"<html><p>", b"{", b""])
    def test_answer_of_somebody_else(self, scripted: Bucket, site: ScriptedServer, body: bytes) -> None:
        """As good as none, whoever answered."""
        site.on(f"/{NAME}/key", HttpResponse(500, [("Content-Type", "text/xml")], body))

        with pytest.raises(StorageUnavailable):
            scripted.find("key", LIMIT)

    def test_nobody_there(self, environment: pytest.MonkeyPatch) -> None:
        """As if S3 were down."""
        environment.setenv("AWS_ENDPOINT_URL", unused_url())
        nowhere = bucket.connect(deployment(uploads_bucket=NAME))

        with pytest.raises(StorageUnavailable):
            nowhere.find("key", LIMIT)
        with pytest.raises(StorageUnavailable):
            nowhere.put("key", b"1", replacing=None)
