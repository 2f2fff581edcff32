"""Preflight: which user sends the dry run, who gets its error, and how many requests it takes."""

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
    from collections.abc import Callable

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
CREATED = json_reply({"metadata": {"name": "train-1"}}, 201)
ALREADY_EXISTS = status_reply(409, 'jobs.batch "train-1" already exists', "AlreadyExists")
NOT_ALLOWED = status_reply(403, 'jobs.batch is forbidden: User "researcher:api" cannot create resource "jobs"')


def quota_exceeded(requested: int, limited: int) -> HttpResponse:
    """Return the error of a quota that is exceeded."""
    reason = f"exceeded quota: gpus, requested: pods={requested}, used: pods={limited}, limited: pods={limited}"
    return status_reply(403, f'pods "train-1-x" is forbidden: {reason}')


NEVER_FITS, QUOTA_FULL = quota_exceeded(2, 1), quota_exceeded(1, 1)
METHODS = pytest.mark.parametrize("method", [PreflightJobs.create, PreflightJobs.preview])
REJECTED = [
    pytest.param(NEVER_FITS, QuotaExceeded, id="quota"),
    pytest.param(status_reply(403, 'pods "a" is forbidden: violates PodSecurity "x"'), RefusedByCluster, id="security"),
    pytest.param(status_reply(403, 'admission webhook "x" denied the request: no'), RefusedByCluster, id="webhook"),
    pytest.param(
        status_reply(400, 'admission webhook "x" denied the request: no'), RefusedByCluster, id="webhook, 400"
    ),
    pytest.param(
        status_reply(401, 'admission webhook "x" denied the request: no'), RefusedByCluster, id="webhook, 401"
    ),
    pytest.param(
        status_reply(503, 'admission webhook "x" denied the request: no'), RefusedByCluster, id="webhook, 503"
    ),
    pytest.param(status_reply(400, "Pod in version v1 cannot be handled as a Pod"), InvalidJob, id="bad request"),
    pytest.param(status_reply(422, "no", details={"causes": [{"field": "spec.x"}]}), InvalidJob, id="fields"),
]
UNKNOWN = [
    pytest.param(status_reply(400, 'admission webhook "x" does not support dry run'), id="no dry run"),
    pytest.param(status_reply(403, 'users "x" is forbidden: User "y" cannot impersonate resource "users"'), id="older"),
    pytest.param(status_reply(403, 'pods is forbidden: User "researcher:preflight" cannot create'), id="no binding"),
    pytest.param(status_reply(404, 'namespaces "researcher-team-a" not found'), id="no Project"),
    pytest.param(QUOTA_FULL, id="full quota"),
]


@pytest.fixture
def site(site: ScriptedServer) -> ScriptedServer:
    """Return an API server that admits every pod."""
    site.on(PODS, json_reply({}, 201))
    return site


def jobs(site: ScriptedServer, mode: str = "on") -> KubernetesJobs:
    """Return the adapter with which Alice submits Jobs."""
    return jobs_with_preflight(mode, Cluster(api_at(site.url)), ALICE, Deadline.after(60))


class TestDryRun:
    """The request before a Job is created."""

    def test_is_one_pod_in_a_dry_run(self, site: ScriptedServer) -> None:
        """The preflight user sends it, without the caller's groups; the audit log contains the caller."""
        site.on(JOBS, CREATED)

        created = jobs(site).create(TEAM_A, MANIFEST)

        (request,) = site.at(PODS)
        assert created is not None
        assert [sent.path for sent in site.requests] == [PODS, RULES, JOBS]
        assert site.at(JOBS)[0].values("Impersonate-User") == ["researcher:api"]
        assert (request.method, request.query) == ("POST", [("dryRun", "All")])
        assert json.loads(request.body)["spec"] == {"containers": []}
        assert request.values("Impersonate-User") == ["researcher:preflight"]
        assert request.values("Impersonate-Extra-Subject") == ["researcher:alice"]
        assert request.values("Impersonate-Group") == []

    def test_is_not_sent_if_off(self, site: ScriptedServer) -> None:
        """The setting `off` disables it."""
        site.on(JOBS, CREATED)

        jobs(site, "off").create(TEAM_A, MANIFEST)

        assert site.at(PODS) == []

    def test_failure_is_raised(self, site: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """If the cluster does not respond, the Job is not created."""
        monkeypatch.setattr("time.sleep", lambda _: None)
        site.on(PODS, status_reply(503))

        with pytest.raises(ClusterUnavailable):
            jobs(site).create(TEAM_A, MANIFEST)

        assert site.at(JOBS) == []


class TestRejected:
    """A Job whose pods would not be admitted."""

    @METHODS
    @pytest.mark.parametrize(("reply", "error"), REJECTED)
    def test_is_not_created(
        self, site: ScriptedServer, reply: HttpResponse, error: type[Exception], method: Callable[..., object]
    ) -> None:
        """The caller's permission is checked in a dry run; then the cluster's error is raised, also for a preview."""
        site.on(PODS, reply)
        site.on(JOBS, CREATED)

        with pytest.raises(error):
            method(jobs(site), TEAM_A, MANIFEST)

        assert [dict(requests.query).get("dryRun") for requests in site.at(JOBS)] == ["All"]

    @METHODS
    def test_caller_without_permission_gets_forbidden(
        self, site: ScriptedServer, method: Callable[..., object]
    ) -> None:
        """The limits of a Project are not disclosed to other callers."""
        site.on(PODS, NEVER_FITS)
        site.on(JOBS, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            method(jobs(site), TEAM_A, MANIFEST)

    @METHODS
    def test_existing_job_is_returned(self, site: ScriptedServer, method: Callable[..., object]) -> None:
        """A replay is not rejected, because the existing Job may itself use up the quota."""
        site.on(PODS, NEVER_FITS)
        site.on(JOBS, ALREADY_EXISTS)

        assert method(jobs(site), TEAM_A, MANIFEST) is None


class TestAccepted:
    """A Job that is created in spite of the response."""

    @pytest.mark.parametrize("reply", UNKNOWN)
    def test_unknown_result_or_full_quota(self, site: ScriptedServer, reply: HttpResponse) -> None:
        """The cluster decides when it creates the Job and its pods."""
        site.on(PODS, reply)
        site.on(JOBS, CREATED)

        assert jobs(site).create(TEAM_A, MANIFEST) is not None
        assert jobs(site).preview(TEAM_A, MANIFEST) == {"metadata": {"name": "train-1"}}


class TestStrict:
    """The setting `strict`."""

    def test_full_quota_is_an_error(self, site: ScriptedServer) -> None:
        """A Job that does not fit in the quota now is rejected, except in a queue."""
        site.on(PODS, QUOTA_FULL)
        site.on(JOBS, CREATED)

        with pytest.raises(QuotaExceeded):
            jobs(site, "strict").create(TEAM_A, MANIFEST)
        assert jobs(site, "strict").create(TEAM_A, QUEUED) is not None
