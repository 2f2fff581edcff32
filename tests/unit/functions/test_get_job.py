"""get_job: one Job, and whether it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.adapters.bucket import connect
from chalicelib.adapters.receipts import Receipts
from chalicelib.domain.names import project_name
from chalicelib.domain.receipt import receipt_of
from chalicelib.settings import settings
from tests.builders import finished
from tests.scripted import unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.stack import Stack
    from tests.api import Api


@pytest.fixture
def no_storage(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody answers where S3 was."""
    del stack
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", unused_url())
    connect.cache_clear()
    yield
    connect.cache_clear()


class TestETag:
    """`ETag` and `If-None-Match`."""

    def test_nothing_new_is_304(self, api: Api) -> None:
        """No body, and the same tag."""
        tag = api.waiting_job("waits")

        answer = api.ask("GET", "/jobs/team-a/waits", headers={"If-None-Match": tag})

        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)

    def test_any_tag_is_304(self, api: Api) -> None:
        """`*` matches whatever is there (RFC 9110)."""
        api.submit(name="there")

        assert api.ask("GET", "/jobs/team-a/there", headers={"If-None-Match": "*"}).status_code == 304

    def test_a_change_is_200(self, api: Api) -> None:
        """A tag of before says nothing about now."""
        api.submit(name="moves")

        answer = api.ask("GET", "/jobs/team-a/moves", headers={"If-None-Match": '"1.00000000"'})

        assert answer.status_code == 200
        assert answer.headers["ETag"] != '"1.00000000"'


class TestRefused:
    """What cannot be shown."""

    def test_a_job_that_is_not_there(self, api: Api) -> None:
        """404, in the caller's own Project."""
        answer = api.ask("GET", "/jobs/team-a/nobody")

        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")

    def test_a_job_that_was_cleaned_up(self, api: Api) -> None:
        """410, with its Receipt; of another Project's neither its Receipt nor that there is one."""
        kept = receipt_of(project_name("team-a"), msgspec.to_builtins(finished(name="was-there")), [], "done\n")
        receipts = Receipts(connect(settings()))
        receipts.store(kept)
        receipts.store(msgspec.structs.replace(kept, project="team-b"))

        answer = api.ask("GET", "/jobs/team-a/was-there")
        foreign = api.ask("GET", "/jobs/team-b/was-there")

        assert (answer.status_code, answer.json()["code"]) == (410, "job_cleaned_up")
        assert answer.json()["receipt"] == msgspec.to_builtins(kept)
        assert (foreign.status_code, "receipt" in foreign.json()) == (403, False)

    @pytest.mark.usefixtures("no_storage")
    def test_while_storage_is_down(self, api: Api) -> None:
        """Nobody can tell whether it was cleaned up; a Job that is there is shown all the same."""
        api.submit(name="is-there")

        answer = api.ask("GET", "/jobs/team-a/was-it-there")

        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        assert api.ask("GET", "/jobs/team-a/is-there").status_code == 200

    @pytest.mark.parametrize("name", ["-", "..", "%2e%2e", "UPPER", "a" * 64, "a_b", "a%0A", "a%00", "a..b"])
    def test_an_odd_name(self, stack: Stack, api: Api, name: str) -> None:
        """A name that is none never reaches the cluster."""
        asked = len(stack.cluster.requests)

        answer = api.ask("GET", f"/jobs/team-a/{name}")

        # 405: a client that resolves dot segments by itself asks for another path.
        assert answer.status_code in (400, 404, 405)
        assert len(stack.cluster.requests) == asked

    def test_a_query(self, api: Api) -> None:
        """A parameter that is not known is not ignored."""
        assert api.ask("GET", "/jobs/team-a/nobody?wait=x").status_code == 400
