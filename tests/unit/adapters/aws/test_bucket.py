"""The S3 bucket: reads, conditional writes, and the translation of S3's errors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.aws import bucket
from chalicelib.adapters.aws.bucket import Bucket, ObjectChangedError
from chalicelib.adapters.http.kept_connections import IDLE_SECONDS
from chalicelib.domain.errors import StorageUnavailable
from infra.local.aws import LocalAws
from infra.local.wire import HttpResponse
from tests.support.builders import deployment
from tests.support.frozen_network import FrozenNetwork
from tests.support.scripted_server import Clock, unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.frozen_network import Death
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
    """Connect to the bucket of a deployment."""
    environment.setenv("AWS_ENDPOINT_URL", aws.url)
    return bucket.connect(deployment(uploads_bucket=NAME, uploads_bucket_owner="123456789012"))


@pytest.fixture
def scripted(site: ScriptedServer, environment: pytest.MonkeyPatch) -> Bucket:
    """Connect to a bucket whose responses the test scripts."""
    environment.setenv("AWS_ENDPOINT_URL", site.url)
    environment.setenv("AWS_MAX_ATTEMPTS", "1")
    return bucket.connect(deployment(uploads_bucket=NAME, uploads_bucket_owner="123456789012"))


def error_reply(code: str, status: int) -> HttpResponse:
    """Return an error response of S3."""
    return HttpResponse(status, [("Content-Type", "application/xml")], f"<Error><Code>{code}</Code></Error>".encode())


class TestPut:
    """Conditional writes."""

    def test_object_is_stored_with_its_metadata(self, stored: Bucket) -> None:
        """Body and metadata are stored, under any key."""
        stored.put(KEY, b"{}", {"sequencer": "1"}, replacing=None)

        found = stored.find(KEY, LIMIT)

        assert found
        assert (found.body, found.metadata) == (b"{}", {"sequencer": "1"})

    def test_only_the_expected_object_is_replaced(self, stored: Bucket) -> None:
        """If the object changed in the meantime, nothing is written; a read returns no more than the limit."""
        stored.put("raced", b"1", replacing=None)
        seen = stored.find("raced", LIMIT)
        stored.put("raced", b"2" * 1000, replacing=seen)

        for expected in (None, seen):
            with pytest.raises(ObjectChangedError):
                stored.put("raced", b"3", replacing=expected)

        assert (found := stored.find("raced", LIMIT))
        assert found.body == b"2" * LIMIT

    @pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
    def test_every_conflict_is_recognized(self, scripted: Bucket, site: ScriptedServer, code: str) -> None:
        """Concurrent writes and a deletion in between are conflicts; the request has the expected bucket owner."""
        site.on(f"/{NAME}/raced", error_reply(code, 409))

        with pytest.raises(ObjectChangedError):
            scripted.put("raced", b"1", replacing=None)

        (request,) = site.requests
        assert request.values("x-amz-expected-bucket-owner") == ["123456789012"]
        assert request.values("If-None-Match") == ["*"]


class TestFind:
    """Reads."""

    def test_missing_object_is_none(self, stored: Bucket) -> None:
        """A missing key and a missing version return None."""
        stored.put("there", b"1", replacing=None)

        assert stored.find("nowhere", LIMIT) is None
        assert stored.find("there", LIMIT, version="00000000-0000-0000-0000-000000000000") is None

    def test_another_etag_is_an_error(self, stored: Bucket) -> None:
        """An object that was overwritten since the event raises ObjectChangedError."""
        stored.put("tagged", b"1", replacing=None)

        with pytest.raises(ObjectChangedError):
            stored.find("tagged", LIMIT, etag='"00000000000000000000000000000000"')


class TestKeptConnections:
    """Connections that died while the function was frozen."""

    @pytest.mark.parametrize("death", ["reset", "closed"])
    def test_all_are_dead(self, site: ScriptedServer, environment: pytest.MonkeyPatch, death: Death) -> None:
        """The second attempt is on a new connection, even if another request took the place of the first one."""
        site.on(f"/{NAME}/key", HttpResponse(200, [("ETag", '"1"')], b"{}"))
        with FrozenNetwork(site.url) as network:
            environment.setenv("AWS_ENDPOINT_URL", network.url)
            stored = bucket.connect(deployment(uploads_bucket=NAME))
            client: Any = stored._client  # noqa: SLF001 - a connection is only kept if another one was in use
            for response in [client.get_object(Bucket=NAME, Key="key") for _ in range(3)]:
                response["Body"].read()
            assert network.kill(death) == 3
            others: list[Any] = []

            def request_between_attempts(_: float) -> None:
                if not others:
                    others.append(client.get_object(Bucket=NAME, Key="key"))

            environment.setattr(time, "sleep", request_between_attempts)

            found = stored.find("key", LIMIT)

            others[0]["Body"].close()
        assert found
        assert found.body == b"{}"

    @pytest.mark.parametrize(("seconds", "used"), [(IDLE_SECONDS - 1, True), (IDLE_SECONDS, False), (-3600, False)])
    def test_idle_ones_are_closed(
        self, site: ScriptedServer, environment: pytest.MonkeyPatch, seconds: float, used: bool
    ) -> None:
        """After a pause no request is sent on a kept connection."""
        site.on(f"/{NAME}/key", HttpResponse(200, [("ETag", '"1"')], b"{}"))
        clock = Clock(1_795_600_000)
        environment.setattr(time, "time", clock)
        with FrozenNetwork(site.url) as network:
            environment.setenv("AWS_ENDPOINT_URL", network.url)
            stored = bucket.connect(deployment(uploads_bucket=NAME))
            stored.find("key", LIMIT)
            clock.now += seconds

            stored.find("key", LIMIT)

            assert network.connections == (1 if used else 2)


class TestErrors:
    """Error responses of S3."""

    @pytest.mark.parametrize(
        ("code", "status", "why"),
        [
            ("SlowDown", 503, "throttled"),
            ("InternalError", 500, "status_500"),
            ("AccessDenied", 403, "access_denied"),
            ("NoSuchBucket", 404, "no_such_bucket"),
            ("AuthorizationHeaderMalformed", 400, "wrong_region"),
            ("InvalidAccessKeyId", 403, "invalid_credentials"),
            ("ExpiredToken", 400, "expired_credentials"),
            ("arn:aws:s3:::secret", 400, "status_400"),
        ],
    )
    def test_are_unavailable_storage(
        self, scripted: Bucket, site: ScriptedServer, code: str, status: int, why: str
    ) -> None:
        """Every error can be retried; AccessDenied is for the operators. The log has one of a list of reasons."""
        site.on(f"/{NAME}/key", error_reply(code, status))

        with pytest.raises(StorageUnavailable) as reading:
            scripted.find("key", LIMIT)
        with pytest.raises(StorageUnavailable) as writing:
            scripted.put("key", b"1", replacing=None)

        assert ("Report this to the operators of this API" in reading.value.detail) == (code == "AccessDenied")
        assert reading.value.detail == writing.value.detail
        assert (reading.value.why, writing.value.why) == (f"s3: {why}", f"s3: {why}")

    @pytest.mark.parametrize("body", [b"<html><p>", b"{", b""])
    def test_response_that_is_not_from_s3(self, scripted: Bucket, site: ScriptedServer, body: bytes) -> None:
        """A response without a valid error document is an unavailable storage."""
        site.on(f"/{NAME}/key", HttpResponse(500, [("Content-Type", "text/xml")], body))

        with pytest.raises(StorageUnavailable) as raised:
            scripted.find("key", LIMIT)

        assert raised.value.why == "s3: status_500"

    def test_connection_refused(self, environment: pytest.MonkeyPatch) -> None:
        """A refused connection is an unavailable storage."""
        environment.setenv("AWS_ENDPOINT_URL", unused_url())
        nowhere = bucket.connect(deployment(uploads_bucket=NAME))

        with pytest.raises(StorageUnavailable) as raised:
            nowhere.find("key", LIMIT)
        assert raised.value.why == "s3: connect_failed"
        with pytest.raises(StorageUnavailable):
            nowhere.put("key", b"1", replacing=None)
