"""A caller's Jobs: the requests, whom they impersonate, and their results."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.jobs import MAX_CONFLICTS, NAMES_IN_A_SELECTOR, PAUSE_SECONDS, KubernetesJobs
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable, DeadlineExceeded, Forbidden, JobNotFound, PreconditionFailed
from chalicelib.domain.labels import SECRETS_ANNOTATION
from tests.support.builders import ALICE, TEAM_A, TRAIN_1, job
from tests.support.scripted_server import ScriptedServer, api_at, groups_reply, json_reply, status_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Manifest
    from chalicelib.domain.names import ProjectName
    from infra.local.wire import HttpResponse

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NAMESPACES = "/api/v1/namespaces"
JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"
JOB = f"{JOBS}/train-1"
SERVICES = "/api/v1/namespaces/researcher-team-a/services"
PODS = "/api/v1/namespaces/researcher-team-a/pods"
CONFLICT = status_reply(
    409, "Operation cannot be fulfilled on resourcequotas: the object has been modified", "Conflict"
)
TRAIN_1_JSON = {"kind": "Job", "metadata": {"name": "train-1", "uid": "u1", "resourceVersion": "7"}}
NOT_ALLOWED = status_reply(403, 'jobs.batch is forbidden: User "researcher:api" cannot list resource "jobs"')
NOT_IMPERSONATED = status_reply(
    403, 'groups.authentication.k8s.io "researcher:team-a" is forbidden: User "x" cannot impersonate resource "groups"'
)


@pytest.fixture
def jobs(site: ScriptedServer) -> KubernetesJobs:
    """Return the Jobs for Alice."""
    return KubernetesJobs(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def page(*names: str, more: str | None = None) -> HttpResponse:
    """Return a page of a list with the continue token *more*."""
    return json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"name": name}} for name in names]})


class TestListedSecrets:
    """The Secrets that a Project's Jobs may use."""

    def test_are_read_by_the_api_itself(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Callers have no permission to read namespaces."""
        site.on(
            f"{NAMESPACES}/researcher-team-a", json_reply({"metadata": {"annotations": {SECRETS_ANNOTATION: "hub"}}})
        )

        assert jobs.listed_secrets(TEAM_A) == {"hub"}
        (request,) = site.at(f"{NAMESPACES}/researcher-team-a")
        assert request.values("Impersonate-User") == []

    def test_missing_project_has_none(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Whether the caller may create the Job is decided by the cluster."""
        site.on(f"{NAMESPACES}/researcher-team-a", status_reply(404, "namespaces not found", "NotFound"))

        assert jobs.listed_secrets(TEAM_A) == frozenset()


REQUESTS = [
    pytest.param(JOBS, lambda jobs: jobs.create(TEAM_A, {}), id="create"),
    pytest.param(JOBS, lambda jobs: jobs.preview(TEAM_A, {}), id="preview"),
    pytest.param(SERVICES, lambda jobs: jobs.create_service(TEAM_A, {}), id="create a Service"),
    pytest.param(JOB, lambda jobs: jobs.patch(TEAM_A, TRAIN_1, {}), id="patch"),
    pytest.param(JOB, lambda jobs: jobs.find(TEAM_A, TRAIN_1), id="find"),
    pytest.param(JOBS, lambda jobs: jobs.page(TEAM_A, "", 1, None), id="page"),
    pytest.param(PODS, lambda jobs: jobs.pods(TEAM_A, [job()]), id="pods"),
    pytest.param(JOB, lambda jobs: jobs.delete(TEAM_A, TRAIN_1, "u1", None), id="delete"),
]


class TestImpersonation:
    """The caller that each request impersonates."""

    @pytest.mark.parametrize(("path", "send"), REQUESTS)
    def test_every_request_impersonates_the_caller(
        self, site: ScriptedServer, jobs: KubernetesJobs, path: str, send: Callable[[KubernetesJobs], object]
    ) -> None:
        """The API's own identity has no permission for Jobs."""
        site.on(path, json_reply({}))

        send(jobs)

        (request,) = site.at(path)
        assert request.values("Impersonate-User") == ["researcher:api"]
        assert request.values("Impersonate-Group") == ["researcher:team-a"]
        assert request.values("Impersonate-Extra-Subject") == ["researcher:alice"]

    @pytest.mark.parametrize(("path", "send"), REQUESTS)
    def test_forbidden_is_raised(
        self, site: ScriptedServer, jobs: KubernetesJobs, path: str, send: Callable[[KubernetesJobs], object]
    ) -> None:
        """Another team's Job is forbidden and not missing. The request is not repeated."""
        site.on(path, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            send(jobs)

        assert (len(site.at(path)), len(site.at(RULES))) == (1, 1)

    def test_deadline_is_respected(self, site: ScriptedServer) -> None:
        """The deadline is that of the caller's request."""
        late = KubernetesJobs(Cluster(api_at(site.url)), ALICE, Deadline(0.0))

        with pytest.raises(DeadlineExceeded):
            late.find(TEAM_A, TRAIN_1)

        assert site.requests == []

    def test_groups_are_read_again_if_impersonation_is_forbidden(
        self, site: ScriptedServer, jobs: KubernetesJobs
    ) -> None:
        """A group that the API may no longer impersonate is omitted, and the request is repeated."""
        site.on(RULES, groups_reply("researcher:team-a"), groups_reply())
        site.on(JOB, NOT_IMPERSONATED, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            jobs.find(TEAM_A, TRAIN_1)

        assert [request.values("Impersonate-Group") for request in site.at(JOB)] == [["researcher:team-a"], []]

    def test_groups_are_read_again_once(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The request is repeated once, and the error does not contain the API's identity."""
        site.on(JOB, NOT_IMPERSONATED)

        with pytest.raises(Forbidden) as raised:
            jobs.find(TEAM_A, TRAIN_1)

        assert (len(site.at(JOB)), len(site.at(RULES))) == (2, 2)
        assert "impersonate" not in raised.value.detail


class TestCreate:
    """Creating a Job."""

    def test_request_has_strict_validation(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The cluster rejects unknown fields, and records the field manager."""
        site.on(JOBS, json_reply(TRAIN_1_JSON, 201))

        created = jobs.create(TEAM_A, {"metadata": {"name": "train-1"}, "spec": {"suspend": False}})

        (request,) = site.at(JOBS)
        assert created is not None
        assert (created.metadata.name, created.metadata.uid, created.metadata.resource_version) == (
            "train-1",
            "u1",
            "7",
        )
        assert (request.method, json.loads(request.body)) == (
            "POST",
            {"metadata": {"name": "train-1"}, "spec": {"suspend": False}},
        )
        assert request.query == [("fieldValidation", "Strict"), ("fieldManager", "researcher-api")]

    @pytest.mark.parametrize("make", [KubernetesJobs.create, KubernetesJobs.preview])
    def test_existing_name_is_none(
        self,
        site: ScriptedServer,
        jobs: KubernetesJobs,
        make: Callable[[KubernetesJobs, ProjectName, Manifest], object],
    ) -> None:
        """The existing Job may have been created by the same request, which the use case decides."""
        site.on(JOBS, status_reply(409, 'jobs.batch "train-1" already exists', "AlreadyExists"))

        assert make(jobs, TEAM_A, {}) is None

    def test_conflict_is_retried(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Concurrent creations conflict on the ResourceQuota."""
        site.on(JOBS, CONFLICT, CONFLICT, json_reply(TRAIN_1_JSON, 201))

        created = jobs.create(TEAM_A, {})

        assert created is not None
        assert (created.metadata.name, len(site.at(JOBS))) == ("train-1", 3)

    def test_conflicts_are_retried_a_limited_number_of_times(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """After the last attempt the error has a Retry-After."""
        site.on(JOBS, CONFLICT)

        with pytest.raises(ClusterUnavailable, match="kept conflicting") as raised:
            jobs.create(TEAM_A, {})

        assert (raised.value.retry_after, len(site.at(JOBS))) == (1, MAX_CONFLICTS)


class TestPreview:
    """Creating a Job in a dry run."""

    def test_nothing_is_stored(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The cluster validates the Job and returns it with its defaults."""
        site.on(JOBS, json_reply({**TRAIN_1_JSON, "spec": {"backoffLimit": 6}}, 201))

        preview = jobs.preview(TEAM_A, {"metadata": {"name": "train-1"}})

        assert preview == {**TRAIN_1_JSON, "spec": {"backoffLimit": 6}}
        assert ("dryRun", "All") in site.at(JOBS)[0].query


class TestCreateService:
    """Creating a Service."""

    def test_request_has_strict_validation(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The name is unique to the Job, so an existing Service was created by an earlier attempt."""
        site.on(SERVICES, json_reply({}, 201), status_reply(409, reason="AlreadyExists"))

        for _ in range(2):
            jobs.create_service(TEAM_A, {"kind": "Service"})

        request = site.at(SERVICES)[0]
        assert (request.method, json.loads(request.body)) == ("POST", {"kind": "Service"})
        assert request.query == [("fieldValidation", "Strict"), ("fieldManager", "researcher-api")]


class TestPatch:
    """Patching a Job."""

    def test_request_is_a_merge_patch(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The response is the patched Job."""
        site.on(JOB, json_reply(TRAIN_1_JSON))

        found = jobs.patch(TEAM_A, TRAIN_1, {"spec": {"suspend": False}})

        (request,) = site.at(JOB)
        assert (request.method, json.loads(request.body)) == ("PATCH", {"spec": {"suspend": False}})
        assert request.values("Content-Type") == ["application/merge-patch+json"]
        assert found is not None
        assert found.metadata.uid == "u1"

    @pytest.mark.parametrize("reply", [CONFLICT, status_reply(404)], ids=["conflict", "missing"])
    def test_missing_job_or_conflict_is_none(
        self, site: ScriptedServer, jobs: KubernetesJobs, reply: HttpResponse
    ) -> None:
        """The use case reads the Job again."""
        site.on(JOB, reply)

        assert jobs.patch(TEAM_A, TRAIN_1, {}) is None


class TestFind:
    """Reading a Job."""

    def test_job(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The Job is returned."""
        site.on(JOB, json_reply(TRAIN_1_JSON))

        found = jobs.find(TEAM_A, TRAIN_1)

        assert found is not None
        assert found.metadata.uid == "u1"
        assert site.at(JOB)[0].method == "GET"

    def test_missing_job_is_none(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """A missing Job is None."""
        site.on(JOB, status_reply(404, 'jobs.batch "train-1" not found'))

        assert jobs.find(TEAM_A, TRAIN_1) is None


class TestPage:
    """A page of a Project's Jobs."""

    @pytest.mark.parametrize(
        ("selector", "token", "query"),
        [
            pytest.param("", None, [], id="first"),
            pytest.param("a=b,c!=d", None, [("labelSelector", "a=b,c!=d")], id="selected"),
            pytest.param("a=b", "n&1=", [("labelSelector", "a=b"), ("continue", "n&1=")], id="next"),
        ],
    )
    def test_query(
        self, site: ScriptedServer, jobs: KubernetesJobs, selector: str, token: str | None, query: list[tuple[str, str]]
    ) -> None:
        """The query has the selector, the limit and the token, each escaped."""
        site.on(JOBS, page("a", "b", more="n2"))

        found = jobs.page(TEAM_A, selector, 50, token)

        assert ([job.metadata.name for job in found.items], found.metadata.continue_) == (["a", "b"], "n2")
        assert sorted(site.at(JOBS)[0].query) == sorted([("limit", "50"), *query])


class TestPods:
    """The pods of several Jobs."""

    def test_without_jobs_no_request_is_sent(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The list is empty."""
        assert jobs.pods(TEAM_A, []) == []
        assert site.requests == []

    def test_are_selected_by_job_name(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """One request selects the pods of all Jobs."""
        site.on(PODS, page("a-x", "b-y"))

        found = jobs.pods(TEAM_A, [job("a"), job("b")])

        assert [pod.metadata.name for pod in found] == ["a-x", "b-y"]
        (request,) = site.at(PODS)
        assert request.query == [
            ("labelSelector", "batch.kubernetes.io/job-name in (a,b)"),
            ("fieldSelector", "status.phase!=Succeeded"),
            ("limit", "1000"),
        ]

    def test_of_one_job_those_that_succeeded_too(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Only they know when the Job started; if there are too many, those that have not succeeded are read."""
        site.on(PODS, page("a-x"), page("a-x", more="n2"), page("a-y"))

        found = [jobs.pods(TEAM_A, [job("a")]) for _ in range(2)]

        assert [[pod.metadata.name for pod in each] for each in found] == [["a-x"], ["a-y"]]
        selectors = [dict(request.query).get("fieldSelector") for request in site.at(PODS)]
        assert selectors == [None, None, "status.phase!=Succeeded"]

    def test_many_jobs_take_several_requests(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Each name is selected once, and no URL exceeds 8 KiB."""
        names = [f"{number:063}" for number in range(2 * NAMES_IN_A_SELECTOR + 1)]
        site.on(PODS, page("x"), page("y"), page("z"))

        found = jobs.pods(TEAM_A, [job(name) for name in names])

        requests = site.at(PODS)
        selected = [re.findall(r"\d{63}", unquote(request.target)) for request in requests]
        assert [pod.metadata.name for pod in found] == ["x", "y", "z"]
        assert [len(chunk) for chunk in selected] == [NAMES_IN_A_SELECTOR, NAMES_IN_A_SELECTOR, 1]
        assert [name for chunk in selected for name in chunk] == names
        assert max(len(request.target) for request in requests) < 8192


FOUND = json_reply({"metadata": {"name": "train-1", "uid": "u0"}})


class TestConflicts:
    """Conflicts with concurrent writes."""

    @pytest.mark.parametrize(
        ("send", "attempts"),
        [
            pytest.param(lambda jobs: jobs.patch(TEAM_A, TRAIN_1, {}), 1, id="patch"),
            pytest.param(lambda jobs: jobs.create(TEAM_A, {}), MAX_CONFLICTS, id="create"),
        ],
    )
    def test_pauses_before_the_next_attempt(
        self,
        site: ScriptedServer,
        jobs: KubernetesJobs,
        monkeypatch: pytest.MonkeyPatch,
        send: Callable[[KubernetesJobs], object],
        attempts: int,
    ) -> None:
        """The pause is random, and ends by the deadline."""
        pauses: list[float] = []
        monkeypatch.setattr("time.sleep", pauses.append)
        for path in (JOB, JOBS):
            site.on(path, CONFLICT)

        with suppress(ClusterUnavailable):
            send(jobs)

        assert len(pauses) == attempts
        assert all(PAUSE_SECONDS[0] <= pause <= PAUSE_SECONDS[1] for pause in pauses)


class TestDelete:
    """Deleting a Job."""

    @pytest.mark.parametrize(
        ("uid", "version", "preconditions"),
        [
            pytest.param(None, None, {"uid": "u0"}, id="existing Job"),
            pytest.param("u1", None, {"uid": "u1"}, id="uid"),
            pytest.param(None, "7", {"resourceVersion": "7"}, id="resource version"),
            pytest.param("u1", "7", {"uid": "u1", "resourceVersion": "7"}, id="both"),
        ],
    )
    def test_pods_are_deleted_too(
        self,
        site: ScriptedServer,
        jobs: KubernetesJobs,
        uid: str | None,
        version: str | None,
        preconditions: dict[str, Any],
    ) -> None:
        """The propagation policy deletes the pods, and the cluster checks the preconditions."""
        read_first = [] if uid or version else [FOUND]
        site.on(JOB, *read_first, json_reply({"kind": "Status", "status": "Success"}))

        jobs.delete(TEAM_A, TRAIN_1, uid, version)

        *_, request = site.at(JOB)
        assert (request.method, len(site.at(JOB))) == ("DELETE", len(read_first) + 1)
        assert json.loads(request.body) == {"propagationPolicy": "Background", "preconditions": preconditions}

    def test_dry_run(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """A dry run is the same request, of which the cluster makes no change."""
        site.on(JOB, json_reply({"kind": "Status", "status": "Success"}))

        jobs.delete(TEAM_A, TRAIN_1, "u1", "7", dry_run=True)

        body = json.loads(site.at(JOB)[0].body)
        assert (body["dryRun"], body["preconditions"]) == (["All"], {"uid": "u1", "resourceVersion": "7"})

    @pytest.mark.parametrize("uid", [None, "u1"])
    def test_missing_job(self, site: ScriptedServer, jobs: KubernetesJobs, uid: str | None) -> None:
        """The error names the Job, and says that it may have been cleaned up."""
        site.on(JOB, status_reply(404))

        with pytest.raises(JobNotFound) as raised:
            jobs.delete(TEAM_A, TRAIN_1, uid, None)

        assert raised.value.detail == "The Project team-a has no Job named train-1. It may have been cleaned up."

    def test_replaced_job_is_not_deleted(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """A Job with another uid is an error."""
        site.on(JOB, status_reply(409, "Precondition failed: UID"))

        with pytest.raises(PreconditionFailed):
            jobs.delete(TEAM_A, TRAIN_1, "u1", None)

    @pytest.mark.parametrize("uid", [None, "u0"])
    @pytest.mark.parametrize("retry_reply", [status_reply(404), status_reply(409, "Precondition failed: UID")])
    def test_retry_of_a_lost_request(
        self,
        site: ScriptedServer,
        jobs: KubernetesJobs,
        monkeypatch: pytest.MonkeyPatch,
        uid: str | None,
        retry_reply: HttpResponse,
    ) -> None:
        """If an earlier attempt deleted the Job, the retry succeeds, and does not delete a new Job of this name."""
        monkeypatch.setattr("time.sleep", lambda _: None)
        site.on(JOB, *([] if uid else [FOUND]), status_reply(504), retry_reply)

        jobs.delete(TEAM_A, TRAIN_1, uid, None)

        sent = [json.loads(delete.body) for delete in site.at(JOB) if delete.method == "DELETE"]
        assert [options["preconditions"] for options in sent] == [{"uid": "u0"}] * 2

    def test_job_that_was_replaced_after_the_read(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The Job that was read is gone, and the new one stays."""
        site.on(JOB, FOUND, status_reply(409, "Precondition failed: UID"))

        jobs.delete(TEAM_A, TRAIN_1, None, None)

        assert len(site.at(JOB)) == 2
