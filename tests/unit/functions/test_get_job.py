"""get_job: one Job, and whether it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.adapters.aws.bucket import connect
from chalicelib.adapters.aws.receipts import S3Receipts
from chalicelib.domain.finished.receipt import build_receipt
from chalicelib.domain.names import project_name
from chalicelib.settings import settings
from tests.support.builders import finished

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.support.api import Api


class TestETag:
    """`ETag` and `If-None-Match`."""

    @pytest.mark.parametrize("known", ["{tag}", "*"])
    def test_nothing_new_is_304(self, api: Api, known: str) -> None:
        """No body, and the Job's tag; `*` matches whatever is there (RFC 9110)."""
        tag = api.waiting_job("waits")

        answer = api.ask("GET", "/jobs/team-a/waits", headers={"If-None-Match": known.format(tag=tag)})

        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)

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

    def test_a_foreign_job_that_was_cleaned_up(self, api: Api) -> None:
        """Neither its Receipt nor that there is one."""
        kept = build_receipt(project_name("team-b"), msgspec.to_builtins(finished(name="was-there")), [], "done\n")
        S3Receipts(connect(settings())).store(kept)

        answer = api.ask("GET", "/jobs/team-b/was-there")

        assert (answer.status_code, "receipt" in answer.json()) == (403, False)

    @pytest.mark.usefixtures("silent_bucket")
    def test_while_storage_is_down(self, api: Api) -> None:
        """Nobody can tell whether it was cleaned up; a Job that is there is shown all the same."""
        api.submit(name="is-there")

        answer = api.ask("GET", "/jobs/team-a/was-it-there")

        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        assert api.ask("GET", "/jobs/team-a/is-there").status_code == 200
