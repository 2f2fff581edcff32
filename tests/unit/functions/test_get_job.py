"""get_job: one Job, its ETag, and waiting for changes."""

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

    @pytest.mark.parametrize("if_none_match", ["{tag}", "*"])
    def test_unchanged_job_is_304(self, api: Api, if_none_match: str) -> None:
        """The response has the ETag and no body; `*` matches every ETag (RFC 9110)."""
        tag = api.create_pending_job("waits")

        response = api.request("GET", "/jobs/team-a/waits", headers={"If-None-Match": if_none_match.format(tag=tag)})

        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", tag)

    def test_changed_job_is_200(self, api: Api) -> None:
        """An earlier ETag does not match."""
        api.submit(name="moves")

        response = api.request("GET", "/jobs/team-a/moves", headers={"If-None-Match": '"1.00000000"'})

        assert response.status_code == 200
        assert response.headers["ETag"] != '"1.00000000"'


class TestWait:
    """`wait` and `until`."""

    def watch_count(self, stack: Stack[EmbeddedCluster]) -> int:
        """Return the number of watch requests so far."""
        return sum("watch=true" in request.target for request in stack.cluster.requests)

    def test_reached_status_needs_no_watch(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """The response is sent at once."""
        api.submit(name="ends", environment={"SIMULATE": "exit-1"}, maxRuntimeSeconds=1, backoffLimit=0)
        api.request("GET", "/jobs/team-a/ends?wait=25&until=finished")
        before = self.watch_count(stack)

        responses = [
            api.request("GET", f"/jobs/team-a/ends?wait=25&until={until}") for until in ("running", "finished")
        ]

        assert [response.json()["data"][0]["status"] for response in responses] == ["Failed", "Failed"]
        assert self.watch_count(stack) == before

    def test_one_watch_for_an_unchanged_job(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """If nothing changes for a second, there is one watch."""
        tag = api.create_pending_job("waits")
        before = self.watch_count(stack)

        response = api.request("GET", "/jobs/team-a/waits?wait=1", headers={"If-None-Match": tag})

        assert (response.status_code, response.headers["ETag"], self.watch_count(stack) - before) == (304, tag, 1)

    def test_without_if_none_match_there_is_no_wait(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """The response is sent at once."""
        api.create_pending_job("waits")
        before = self.watch_count(stack)

        assert api.request("GET", "/jobs/team-a/waits?wait=25").status_code == 200
        assert self.watch_count(stack) == before


class TestErrors:
    """Jobs that are not returned."""

    def test_receipt_of_a_forbidden_project(self, api: Api) -> None:
        """The response does not disclose that there is a Receipt."""
        receipt = build_receipt(project_name("team-b"), msgspec.to_builtins(finished(name="deleted")), [], "done\n")
        S3Receipts(connect(settings())).store(receipt)

        response = api.request("GET", "/jobs/team-b/deleted")

        assert (response.status_code, "receipt" in response.json()) == (403, False)

    @pytest.mark.usefixtures("unreachable_bucket")
    def test_storage_is_unavailable(self, api: Api) -> None:
        """Whether a missing Job was cleaned up is unknown; an existing Job is returned."""
        api.submit(name="existing")

        response = api.request("GET", "/jobs/team-a/missing")

        assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
        assert api.request("GET", "/jobs/team-a/existing").status_code == 200
