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

    from infra.local.kubernetes.cluster import EmbeddedCluster
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


class TestWait:
    """`wait` and `until`."""

    def watches(self, stack: Stack[EmbeddedCluster]) -> int:
        """How many watches the cluster was asked for so far."""
        return sum("watch=true" in request.target for request in stack.cluster.requests)

    def test_what_holds_is_answered_without_a_watch(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """At once."""
        api.submit(name="ends", environment={"SIMULATE": "exit-1"}, maxRuntimeSeconds=1, backoffLimit=0)
        api.ask("GET", "/jobs/team-a/ends?wait=25&until=finished")
        before = self.watches(stack)

        answers = [api.ask("GET", f"/jobs/team-a/ends?wait=25&until={until}") for until in ("running", "finished")]

        assert [answer.json()["data"][0]["status"] for answer in answers] == ["Failed", "Failed"]
        assert self.watches(stack) == before

    def test_one_watch_is_open_at_a_time(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """Nothing happens for a second: one watch told so."""
        tag = api.waiting_job("waits")
        before = self.watches(stack)

        answer = api.ask("GET", "/jobs/team-a/waits?wait=1", headers={"If-None-Match": tag})

        assert (answer.status_code, answer.headers["ETag"], self.watches(stack) - before) == (304, tag, 1)

    def test_without_a_tag_any_job_is_news(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """Who knows nothing yet is not kept waiting."""
        api.waiting_job("waits")
        before = self.watches(stack)

        assert api.ask("GET", "/jobs/team-a/waits?wait=25").status_code == 200
        assert self.watches(stack) == before


class TestRefused:
    """What cannot be shown."""

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
