"""Lists, page by page, of objects that may be too large."""

from __future__ import annotations

import pytest

from chalicelib.adapters.kubernetes.api_client import MAX_RESPONSE
from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable, InvalidPageToken
from infra.local.wire import HttpResponse
from tests.support.builders import ALICE, TEAM_A
from tests.support.scripted_server import ScriptedServer, api_at, json_reply, status_reply

JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"
TOO_LARGE = HttpResponse(200, [], b'"resourceVersion":' * 501 + bytes(MAX_RESPONSE))
ENORMOUS = HttpResponse(
    200, [], b'{"resourceVersion":"7","resourceVersion":"1","resourceVersion":"2"' + bytes(MAX_RESPONSE)
)
SMALL = json_reply({"metadata": {"continue": "next"}, "items": [{"metadata": {"name": "a"}}]})
LARGE = HttpResponse(200, [], b'{"items": []' + b" " * (MAX_RESPONSE // 2) + b"}")
FUTURE = status_reply(504, "Timeout: Too large resource version: 1000, current: 7", "Timeout")


@pytest.fixture
def jobs(site: ScriptedServer) -> KubernetesJobs:
    """The cluster as Alice reaches it."""
    return KubernetesJobs(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def asked(site: ScriptedServer, parameter: str = "limit") -> list[str]:
    """The values of the query parameter in the requests for Jobs, in order."""
    return [dict(request.query)[parameter] for request in site.at(JOBS)]


class TestPage:
    """One page, of at most as many objects as are asked for."""

    def test_that_is_too_large_is_halved(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """From the same token, so that the page and its own token agree."""
        site.on(JOBS, TOO_LARGE, TOO_LARGE, SMALL)

        page = jobs.page(TEAM_A, "", 500, "start")

        assert ([one.metadata.name for one in page.items], page.metadata.continue_) == (["a"], "next")
        assert (asked(site), set(asked(site, "continue"))) == (["500", "250", "125"], {"start"})

    def test_is_divided_by_what_was_read(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Three objects fill what may be read, so that 250 need not be tried."""
        site.on(JOBS, ENORMOUS, SMALL)

        jobs.page(TEAM_A, "", 500, None)

        assert asked(site) == ["500", "1"]

    def test_after_a_large_one_is_not_tried_whole(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The next page starts with the limit that was read; small pages let it grow again, up to what is asked."""
        site.on(JOBS, TOO_LARGE, LARGE, LARGE, SMALL, SMALL, SMALL)

        for _ in range(5):
            jobs.page(TEAM_A, "", 500, None)

        assert asked(site) == ["500", "250", "250", "250", "500", "500"]

    def test_of_one_object_that_is_too_large_is_said(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Nothing smaller can be asked for."""
        site.on(JOBS, TOO_LARGE, TOO_LARGE)

        with pytest.raises(ResponseTooLarge, match="too large"):
            jobs.page(TEAM_A, "", 3, None)

        assert asked(site) == ["3", "1"]

    @pytest.mark.parametrize("reply", [FUTURE, status_reply(400, "invalid continue token"), status_reply(422, "odd")])
    def test_of_an_odd_token_is_refused_at_once(
        self, site: ScriptedServer, jobs: KubernetesJobs, reply: HttpResponse
    ) -> None:
        """A token of a version that is still to come keeps the API server busy for three seconds: it is asked once."""
        site.on(JOBS, reply)

        with pytest.raises(InvalidPageToken):
            jobs.page(TEAM_A, "", 500, "odd")

        assert len(site.at(JOBS)) == 1

    @pytest.mark.parametrize("status", [400, 422])
    def test_without_a_token_is_no_fault_of_a_job(
        self, site: ScriptedServer, jobs: KubernetesJobs, status: int
    ) -> None:
        """A selector that the cluster cannot read is ours, and not the Job that nobody sent."""
        site.on(JOBS, status_reply(status, "unable to parse requirement"))

        with pytest.raises(ClusterUnavailable):
            jobs.page(TEAM_A, "", 500, None)
