"""Pages of lists whose objects may be too large."""

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
    """Return the Jobs for Alice."""
    return KubernetesJobs(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def sent_values(site: ScriptedServer, parameter: str = "limit") -> list[str]:
    """Return the values of a query parameter in the requests for Jobs."""
    return [dict(request.query)[parameter] for request in site.at(JOBS)]


class TestPage:
    """One page."""

    def test_too_large_page_is_halved(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The smaller page is requested with the same token, so that its own token continues after it."""
        site.on(JOBS, TOO_LARGE, TOO_LARGE, SMALL)

        page = jobs.page(TEAM_A, "", 500, "start")

        assert ([job.metadata.name for job in page.items], page.metadata.continue_) == (["a"], "next")
        assert (sent_values(site), set(sent_values(site, "continue"))) == (["500", "250", "125"], {"start"})

    def test_limit_depends_on_the_objects_that_were_read(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """If only a few objects were read, the next limit is half of them."""
        site.on(JOBS, ENORMOUS, SMALL)

        jobs.page(TEAM_A, "", 500, None)

        assert sent_values(site) == ["500", "1"]

    def test_reduced_limit_is_kept(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The next page starts with the reduced limit, and small pages double it again up to the requested limit."""
        site.on(JOBS, TOO_LARGE, LARGE, LARGE, SMALL, SMALL, SMALL)

        for _ in range(5):
            jobs.page(TEAM_A, "", 500, None)

        assert sent_values(site) == ["500", "250", "250", "250", "500", "500"]

    def test_single_object_that_is_too_large(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The error is raised, as no smaller page is possible."""
        site.on(JOBS, TOO_LARGE, TOO_LARGE)

        with pytest.raises(ResponseTooLarge, match="too large"):
            jobs.page(TEAM_A, "", 3, None)

        assert sent_values(site) == ["3", "1"]

    @pytest.mark.parametrize("reply", [FUTURE, status_reply(400, "invalid continue token"), status_reply(422, "odd")])
    def test_invalid_token_is_not_retried(
        self, site: ScriptedServer, jobs: KubernetesJobs, reply: HttpResponse
    ) -> None:
        """The API server takes three seconds to reject the token of a future version."""
        site.on(JOBS, reply)

        with pytest.raises(InvalidPageToken):
            jobs.page(TEAM_A, "", 500, "odd")

        assert len(site.at(JOBS)) == 1

    @pytest.mark.parametrize("status", [400, 422])
    def test_error_without_a_token(self, site: ScriptedServer, jobs: KubernetesJobs, status: int) -> None:
        """An invalid selector is an error of the API and not of the caller."""
        site.on(JOBS, status_reply(status, "unable to parse requirement"))

        with pytest.raises(ClusterUnavailable):
            jobs.page(TEAM_A, "", 500, None)
