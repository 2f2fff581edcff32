"""A caller's Jobs: which calls are made, as whom, and what their answers mean."""

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
BUSY = status_reply(409, "Operation cannot be fulfilled on resourcequotas: the object has been modified", "Conflict")
TRAIN_1_JSON = {"kind": "Job", "metadata": {"name": "train-1", "uid": "u1", "resourceVersion": "7"}}
NOT_ALLOWED = status_reply(403, 'jobs.batch is forbidden: User "researcher:api" cannot list resource "jobs"')
NOT_IMPERSONATED = status_reply(
    403, 'groups.authentication.k8s.io "researcher:team-a" is forbidden: User "x" cannot impersonate resource "groups"'
)


@pytest.fixture
def jobs(site: ScriptedServer) -> KubernetesJobs:
    """The cluster as Alice reaches it."""
    return KubernetesJobs(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def page(*names: str, more: str | None = None) -> HttpResponse:
    """A page of a list, whose continue token is *more*."""
    return json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"name": name}} for name in names]})


class TestListedSecrets:
    """The Secrets that a Project's Jobs may name."""

    def test_are_read_by_the_api_itself(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Callers may not read namespaces; nor is what the Project lists asked for them."""
        site.on(
            f"{NAMESPACES}/researcher-team-a", json_reply({"metadata": {"annotations": {SECRETS_ANNOTATION: "hub"}}})
        )

        assert jobs.listed_secrets(TEAM_A) == {"hub"}
        (asked,) = site.at(f"{NAMESPACES}/researcher-team-a")
        assert asked.values("Impersonate-User") == []

    def test_of_no_project_are_none(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Who may not make the Job is told by the cluster."""
        site.on(f"{NAMESPACES}/researcher-team-a", status_reply(404, "namespaces not found", "NotFound"))

        assert jobs.listed_secrets(TEAM_A) == frozenset()


CALLS = [
    pytest.param(JOBS, lambda jobs: jobs.create(TEAM_A, {}), id="create"),
    pytest.param(JOBS, lambda jobs: jobs.preview(TEAM_A, {}), id="preview"),
    pytest.param(SERVICES, lambda jobs: jobs.create_service(TEAM_A, {}), id="create a Service"),
    pytest.param(JOB, lambda jobs: jobs.patch(TEAM_A, TRAIN_1, {}), id="patch"),
    pytest.param(JOB, lambda jobs: jobs.find(TEAM_A, TRAIN_1), id="find"),
    pytest.param(JOBS, lambda jobs: jobs.page(TEAM_A, "", 1, None), id="page"),
    pytest.param(PODS, lambda jobs: jobs.pods(TEAM_A, [job()]), id="pods"),
    pytest.param(JOB, lambda jobs: jobs.delete(TEAM_A, TRAIN_1, "u1", None), id="delete"),
]


class TestActingFor:
    """As whom the cluster is asked."""

    @pytest.mark.parametrize(("path", "ask"), CALLS)
    def test_every_call_is_the_callers(
        self, site: ScriptedServer, jobs: KubernetesJobs, path: str, ask: Callable[[KubernetesJobs], object]
    ) -> None:
        """Our own identity owns no rights to Jobs; the cluster decides about the caller's groups."""
        site.on(path, json_reply({}))

        ask(jobs)

        (asked,) = site.at(path)
        assert asked.values("Impersonate-User") == ["researcher:api"]
        assert asked.values("Impersonate-Group") == ["researcher:team-a"]
        assert asked.values("Impersonate-Extra-Subject") == ["researcher:alice"]

    @pytest.mark.parametrize(("path", "ask"), CALLS)
    def test_refusal_is_the_clusters(
        self, site: ScriptedServer, jobs: KubernetesJobs, path: str, ask: Callable[[KubernetesJobs], object]
    ) -> None:
        """As test_refusals has it; another team's Job is not a missing one. It is not asked again."""
        site.on(path, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            ask(jobs)

        assert (len(site.at(path)), len(site.at(RULES))) == (1, 1)

    def test_call_ends_at_the_callers_deadline(self, site: ScriptedServer) -> None:
        """It was set when the request came in."""
        late = KubernetesJobs(Cluster(api_at(site.url)), ALICE, Deadline(0.0))

        with pytest.raises(DeadlineExceeded):
            late.find(TEAM_A, TRAIN_1)

        assert site.asked == []

    def test_groups_are_read_again_when_impersonation_is_refused(
        self, site: ScriptedServer, jobs: KubernetesJobs
    ) -> None:
        """A group we have just lost is left out then, and the call is made with the others."""
        site.on(RULES, groups_reply("researcher:team-a"), groups_reply())
        site.on(JOB, NOT_IMPERSONATED, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            jobs.find(TEAM_A, TRAIN_1)

        assert [asked.values("Impersonate-Group") for asked in site.at(JOB)] == [["researcher:team-a"], []]

    def test_groups_are_read_again_once(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """A cluster that goes on refusing is not asked for ever, and tells nothing of us."""
        site.on(JOB, NOT_IMPERSONATED)

        with pytest.raises(Forbidden) as refusal:
            jobs.find(TEAM_A, TRAIN_1)

        assert (len(site.at(JOB)), len(site.at(RULES))) == (2, 2)
        assert "impersonate" not in refusal.value.detail


class TestCreate:
    """A Job is made."""

    def test_manifest_is_sent_strictly(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """A field that the cluster does not know is refused, not dropped; the audit log names us as manager."""
        site.on(JOBS, json_reply(TRAIN_1_JSON, 201))

        made = jobs.create(TEAM_A, {"metadata": {"name": "train-1"}, "spec": {"suspend": False}})

        (asked,) = site.at(JOBS)
        assert made is not None
        assert (made.metadata.name, made.metadata.uid, made.metadata.resource_version) == ("train-1", "u1", "7")
        assert (asked.method, json.loads(asked.body)) == (
            "POST",
            {"metadata": {"name": "train-1"}, "spec": {"suspend": False}},
        )
        assert asked.query == [("fieldValidation", "Strict"), ("fieldManager", "researcher-api")]

    @pytest.mark.parametrize("make", [KubernetesJobs.create, KubernetesJobs.preview])
    def test_taken_name_is_no_error(
        self,
        site: ScriptedServer,
        jobs: KubernetesJobs,
        make: Callable[[KubernetesJobs, ProjectName, Manifest], object],
    ) -> None:
        """It may be this very request, delivered before: the use case looks."""
        site.on(JOBS, status_reply(409, 'jobs.batch "train-1" already exists', "AlreadyExists"))

        assert make(jobs, TEAM_A, {}) is None

    def test_write_that_came_in_between_is_no_taken_name(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Two Jobs are counted into one quota: who loses is sent again."""
        site.on(JOBS, BUSY, BUSY, json_reply(TRAIN_1_JSON, 201))

        made = jobs.create(TEAM_A, {})

        assert made is not None
        assert (made.metadata.name, len(site.at(JOBS))) == ("train-1", 3)

    def test_writes_that_keep_coming_in_between(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Are told as what they are, for a retry."""
        site.on(JOBS, BUSY)

        with pytest.raises(ClusterUnavailable, match="kept conflicting") as busy:
            jobs.create(TEAM_A, {})

        assert (busy.value.retry_after, len(site.at(JOBS))) == (1, MAX_CONFLICTS)


class TestPreview:
    """A Job as it would be made."""

    def test_nothing_is_stored(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The cluster goes through all of its checks, and answers every field."""
        site.on(JOBS, json_reply({**TRAIN_1_JSON, "spec": {"backoffLimit": 6}}, 201))

        preview = jobs.preview(TEAM_A, {"metadata": {"name": "train-1"}})

        assert preview == {**TRAIN_1_JSON, "spec": {"backoffLimit": 6}}
        assert ("dryRun", "All") in site.at(JOBS)[0].query


class TestCreateService:
    """Making a Service."""

    def test_manifest_is_sent_strictly(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """As a Job's is. Its name belongs to this Job alone: one that is there was made by an earlier attempt."""
        site.on(SERVICES, json_reply({}, 201), status_reply(409, reason="AlreadyExists"))

        for _ in range(2):
            jobs.create_service(TEAM_A, {"kind": "Service"})

        asked = site.at(SERVICES)[0]
        assert (asked.method, json.loads(asked.body)) == ("POST", {"kind": "Service"})
        assert asked.query == [("fieldValidation", "Strict"), ("fieldManager", "researcher-api")]


class TestPatch:
    """Changing a Job."""

    def test_change_is_a_merge_patch(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """The answer is the Job as it is then."""
        site.on(JOB, json_reply(TRAIN_1_JSON))

        found = jobs.patch(TEAM_A, TRAIN_1, {"spec": {"suspend": False}})

        (asked,) = site.at(JOB)
        assert (asked.method, json.loads(asked.body)) == ("PATCH", {"spec": {"suspend": False}})
        assert asked.values("Content-Type") == ["application/merge-patch+json"]
        assert found is not None
        assert found.metadata.uid == "u1"

    @pytest.mark.parametrize("reply", [BUSY, status_reply(404)], ids=["changed meanwhile", "gone"])
    def test_another_job_is_none(self, site: ScriptedServer, jobs: KubernetesJobs, reply: HttpResponse) -> None:
        """The caller looks again, and decides."""
        site.on(JOB, reply)

        assert jobs.patch(TEAM_A, TRAIN_1, {}) is None


class TestFind:
    """One Job."""

    def test_job(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """With what we read of it."""
        site.on(JOB, json_reply(TRAIN_1_JSON))

        found = jobs.find(TEAM_A, TRAIN_1)

        assert found is not None
        assert found.metadata.uid == "u1"
        assert site.at(JOB)[0].method == "GET"

    def test_missing_job_is_none(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """What that means, the use case decides."""
        site.on(JOB, status_reply(404, 'jobs.batch "train-1" not found'))

        assert jobs.find(TEAM_A, TRAIN_1) is None


class TestPage:
    """Some Jobs of a Project."""

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
        """Only what is asked for; nothing in it can become another parameter."""
        site.on(JOBS, page("a", "b", more="n2"))

        found = jobs.page(TEAM_A, selector, 50, token)

        assert ([job.metadata.name for job in found.items], found.metadata.continue_) == (["a", "b"], "n2")
        assert sorted(site.at(JOBS)[0].query) == sorted([("limit", "50"), *query])


class TestPods:
    """The pods of some Jobs."""

    def test_of_no_job(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Nobody is asked."""
        assert jobs.pods(TEAM_A, []) == []
        assert site.asked == []

    def test_are_selected_by_their_jobs(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """One call for all of them."""
        site.on(PODS, page("a-x", "b-y"))

        found = jobs.pods(TEAM_A, [job("a"), job("b")])

        assert [pod.metadata.name for pod in found] == ["a-x", "b-y"]
        (asked,) = site.at(PODS)
        assert asked.query == [
            ("labelSelector", "batch.kubernetes.io/job-name in (a,b)"),
            ("fieldSelector", "status.phase!=Succeeded"),
            ("limit", "1000"),
        ]

    def test_of_many_jobs_take_several_calls(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Every name once and in order, and no URL longer than servers take."""
        names = [f"{number:063}" for number in range(2 * NAMES_IN_A_SELECTOR + 1)]
        site.on(PODS, page("x"), page("y"), page("z"))

        found = jobs.pods(TEAM_A, [job(name) for name in names])

        asked = site.at(PODS)
        selected = [re.findall(r"\d{63}", unquote(one.target)) for one in asked]
        assert [pod.metadata.name for pod in found] == ["x", "y", "z"]
        assert [len(chunk) for chunk in selected] == [NAMES_IN_A_SELECTOR, NAMES_IN_A_SELECTOR, 1]
        assert [name for chunk in selected for name in chunk] == names
        assert max(len(one.target) for one in asked) < 8192


FOUND = json_reply({"metadata": {"name": "train-1", "uid": "u0"}})


class TestConflicts:
    """Others write at the same time."""

    @pytest.mark.parametrize(
        ("ask", "attempts"),
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
        ask: Callable[[KubernetesJobs], object],
        attempts: int,
    ) -> None:
        """For a random time, as all that met would meet again; and never past the deadline."""
        pauses: list[float] = []
        monkeypatch.setattr("time.sleep", pauses.append)
        for path in (JOB, JOBS):
            site.on(path, BUSY)

        with suppress(ClusterUnavailable):
            ask(jobs)

        assert len(pauses) == attempts
        assert all(PAUSE_SECONDS[0] <= pause <= PAUSE_SECONDS[1] for pause in pauses)


class TestDelete:
    """A Job goes."""

    @pytest.mark.parametrize(
        ("uid", "version", "preconditions"),
        [
            pytest.param(None, None, {"uid": "u0"}, id="the one that is there"),
            pytest.param("u1", None, {"uid": "u1"}, id="this Job"),
            pytest.param(None, "7", {"resourceVersion": "7"}, id="this version"),
            pytest.param("u1", "7", {"uid": "u1", "resourceVersion": "7"}, id="both"),
        ],
    )
    def test_pods_go_with_it(
        self,
        site: ScriptedServer,
        jobs: KubernetesJobs,
        uid: str | None,
        version: str | None,
        preconditions: dict[str, Any],
    ) -> None:
        """Else their GPUs stayed taken; the cluster itself compares the preconditions."""
        there = [] if uid or version else [FOUND]
        site.on(JOB, *there, json_reply({"kind": "Status", "status": "Success"}))

        jobs.delete(TEAM_A, TRAIN_1, uid, version)

        *_, asked = site.at(JOB)
        assert (asked.method, len(site.at(JOB))) == ("DELETE", len(there) + 1)
        assert json.loads(asked.body) == {"propagationPolicy": "Background", "preconditions": preconditions}

    @pytest.mark.parametrize("uid", [None, "u1"])
    def test_missing_job(self, site: ScriptedServer, jobs: KubernetesJobs, uid: str | None) -> None:
        """Is named, with what may have become of it."""
        site.on(JOB, status_reply(404))

        with pytest.raises(JobNotFound) as refusal:
            jobs.delete(TEAM_A, TRAIN_1, uid, None)

        assert refusal.value.detail == "The Project team-a has no Job named train-1. It may have been cleaned up."

    def test_another_job_by_now(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """It is still there then."""
        site.on(JOB, status_reply(409, "Precondition failed: UID"))

        with pytest.raises(PreconditionFailed):
            jobs.delete(TEAM_A, TRAIN_1, "u1", None)

    @pytest.mark.parametrize("uid", [None, "u0"])
    @pytest.mark.parametrize("meanwhile", [status_reply(404), status_reply(409, "Precondition failed: UID")])
    def test_job_that_our_lost_attempt_deleted(
        self,
        site: ScriptedServer,
        jobs: KubernetesJobs,
        monkeypatch: pytest.MonkeyPatch,
        uid: str | None,
        meanwhile: HttpResponse,
    ) -> None:
        """Is not missing: the caller wanted it gone, and it is. Another one that took its name stays."""
        monkeypatch.setattr("time.sleep", lambda _: None)
        site.on(JOB, *([] if uid else [FOUND]), status_reply(504), meanwhile)

        jobs.delete(TEAM_A, TRAIN_1, uid, None)

        sent = [json.loads(one.body) for one in site.at(JOB) if one.method == "DELETE"]
        assert [one["preconditions"] for one in sent] == [{"uid": "u0"}] * 2

    def test_job_that_somebody_replaced(self, site: ScriptedServer, jobs: KubernetesJobs) -> None:
        """Between the read and the DELETE: the Job that was there is gone, and the new one stays."""
        site.on(JOB, FOUND, status_reply(409, "Precondition failed: UID"))

        jobs.delete(TEAM_A, TRAIN_1, None, None)

        assert len(site.at(JOB)) == 2
