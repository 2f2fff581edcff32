"""Jobs that are made only if the cluster would take their pods: who asks, who is told, and what it costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.preflight import PreflightJobs, jobs_with_preflight
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable, Forbidden, InvalidJob, QuotaExceeded, RefusedByCluster
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from tests.support.builders import ALICE, TEAM_A
from tests.support.scripted_server import ScriptedServer, api_at, json_reply, status_reply

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
    from infra.local.wire import HttpResponse

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"
PODS = "/api/v1/namespaces/researcher-team-a/pods"
MANIFEST: dict[str, Any] = {
    "metadata": {"name": "train-1", "namespace": "researcher-team-a"},
    "spec": {"template": {"spec": {"containers": []}}},
}
QUEUED = {**MANIFEST, "metadata": {**MANIFEST["metadata"], "labels": {QUEUE_LABEL: "gpus"}}}
MADE = json_reply({"metadata": {"name": "train-1"}}, 201)
TAKEN = status_reply(409, 'jobs.batch "train-1" already exists', "AlreadyExists")
NOT_ALLOWED = status_reply(403, 'jobs.batch is forbidden: User "researcher:api" cannot create resource "jobs"')


def quota(requested: int, limited: int) -> HttpResponse:
    """A quota that has no room."""
    told = f"exceeded quota: room, requested: pods={requested}, used: pods={limited}, limited: pods={limited}"
    return status_reply(403, f'pods "train-1-x" is forbidden: {told}')


NEVER, FULL = quota(2, 1), quota(1, 1)
ACTS = pytest.mark.parametrize("act", [PreflightJobs.create, PreflightJobs.preview])
REFUSED = [
    pytest.param(NEVER, QuotaExceeded, id="quota"),
    pytest.param(status_reply(403, 'pods "a" is forbidden: violates PodSecurity "x"'), RefusedByCluster, id="security"),
    pytest.param(status_reply(403, 'admission webhook "x" denied the request: no'), RefusedByCluster, id="webhook"),
    pytest.param(status_reply(422, "no", details={"causes": [{"field": "spec.x"}]}), InvalidJob, id="fields"),
]
UNKNOWN = [
    pytest.param(status_reply(400, 'admission webhook "x" does not support dry run'), id="no dry run"),
    pytest.param(status_reply(403, 'users "x" is forbidden: User "y" cannot impersonate resource "users"'), id="older"),
    pytest.param(status_reply(403, 'pods is forbidden: User "researcher:preflight" cannot create'), id="no binding"),
    pytest.param(status_reply(404, 'namespaces "researcher-team-a" not found'), id="no Project"),
    pytest.param(FULL, id="full quota"),
]


@pytest.fixture
def site(site: ScriptedServer) -> ScriptedServer:
    """An API server that takes every pod."""
    site.on(PODS, json_reply({}, 201))
    return site


def jobs(site: ScriptedServer, mode: str = "on") -> KubernetesJobs:
    """The cluster as Alice submits to it."""
    return jobs_with_preflight(mode, Cluster(api_at(site.url)), ALICE, Deadline.after(60))


class TestQuestion:
    """What is asked before a Job is made."""

    def test_is_one_pod_in_a_dry_run(self, site: ScriptedServer) -> None:
        """By a user of its own, without the caller's groups; the audit log names the caller, who makes the Job."""
        site.on(JOBS, MADE)

        made = jobs(site).create(TEAM_A, MANIFEST)

        (asked,) = site.at(PODS)
        assert made is not None
        assert [one.path for one in site.asked] == [PODS, RULES, JOBS]
        assert site.at(JOBS)[0].values("Impersonate-User") == ["researcher:api"]
        assert (asked.method, asked.query) == ("POST", [("dryRun", "All")])
        assert json.loads(asked.body)["spec"] == {"containers": []}
        assert asked.values("Impersonate-User") == ["researcher:preflight"]
        assert asked.values("Impersonate-Extra-Subject") == ["researcher:alice"]
        assert asked.values("Impersonate-Group") == []

    def test_is_not_asked_when_it_is_off(self, site: ScriptedServer) -> None:
        """As the setting says."""
        site.on(JOBS, MADE)

        jobs(site, "off").create(TEAM_A, MANIFEST)

        assert site.at(PODS) == []

    def test_failure_is_told(self, site: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """A cluster that cannot answer makes no Job either."""
        monkeypatch.setattr("time.sleep", lambda _: None)
        site.on(PODS, status_reply(503))

        with pytest.raises(ClusterUnavailable):
            jobs(site).create(TEAM_A, MANIFEST)

        assert site.at(JOBS) == []


class TestRefused:
    """A Job that would have no pods."""

    @ACTS
    @pytest.mark.parametrize(("reply", "error"), REFUSED)
    def test_is_not_made(self, site: ScriptedServer, reply: HttpResponse, error: type[Exception], act: Any) -> None:  # noqa: ANN401 - a method
        """The right to make it is asked in a dry run, then the cluster's words are told; a preview says the same."""
        site.on(PODS, reply)
        site.on(JOBS, MADE)

        with pytest.raises(error):
            act(jobs(site), TEAM_A, MANIFEST)

        assert [dict(asked.query).get("dryRun") for asked in site.at(JOBS)] == ["All"]

    @ACTS
    def test_who_may_not_make_it_hears_nothing_of_it(self, site: ScriptedServer, act: Any) -> None:  # noqa: ANN401 - a method
        """A Project's bounds are its own business."""
        site.on(PODS, NEVER)
        site.on(JOBS, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            act(jobs(site), TEAM_A, MANIFEST)

    @ACTS
    def test_one_that_is_there_is_taken(self, site: ScriptedServer, act: Any) -> None:  # noqa: ANN401 - a method
        """A replay is no new Job: it may itself be what fills the quota."""
        site.on(PODS, NEVER)
        site.on(JOBS, TAKEN)

        assert act(jobs(site), TEAM_A, MANIFEST) is None


class TestAccepted:
    """A Job that is made all the same."""

    @pytest.mark.parametrize("reply", UNKNOWN)
    def test_where_nobody_knows_or_it_will_fit(self, site: ScriptedServer, reply: HttpResponse) -> None:
        """The cluster decides when the Job is made, and when it makes the pods."""
        site.on(PODS, reply)
        site.on(JOBS, MADE)

        assert jobs(site).create(TEAM_A, MANIFEST) is not None
        assert jobs(site).preview(TEAM_A, MANIFEST) == {"metadata": {"name": "train-1"}}


class TestStrict:
    """The setting for those who would rather not wait."""

    def test_a_full_quota_refuses(self, site: ScriptedServer) -> None:
        """Now, in its words; but not a Job in a queue, which is there to wait."""
        site.on(PODS, FULL)
        site.on(JOBS, MADE)

        with pytest.raises(QuotaExceeded):
            jobs(site, "strict").create(TEAM_A, MANIFEST)
        assert jobs(site, "strict").create(TEAM_A, QUEUED) is not None
