"""The EKS cluster: which calls are made, as whom, and what their answers mean."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import pytest

from chalicelib.adapters import cluster, eks
from chalicelib.adapters.cluster import ACCESS_KEPT_SECONDS, CONFLICTS, MAX_KEPT, NAMES_IN_A_SELECTOR, Cluster
from chalicelib.adapters.kube_api import Answer, Call
from chalicelib.deadline import Deadline
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import (
    ClusterUnavailable,
    DeadlineExceeded,
    Forbidden,
    InvalidJob,
    InvalidPageToken,
    JobNotFound,
    PageTokenExpired,
    PreconditionFailed,
    QuotaExceeded,
)
from chalicelib.domain.names import ProjectName
from infra.local.kubernetes.certificates import server_identity
from infra.local.wire import Reply
from tests.builders import ALICE, BOB, TEAM_A, TRAIN_1, deployment
from tests.scripted import Clock, Script, api_at, groups_reply, json_reply, status_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.adapters.cluster import CallersCluster
    from chalicelib.adapters.kube_api import KubernetesApi
    from chalicelib.domain.errors import ResearcherError

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NAMESPACES = "/api/v1/namespaces"
JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"
JOB = f"{JOBS}/train-1"
PODS = "/api/v1/namespaces/researcher-team-a/pods"
BUSY = status_reply(409, "Operation cannot be fulfilled on resourcequotas: the object has been modified", "Conflict")
TRAIN_1_JSON = {"kind": "Job", "metadata": {"name": "train-1", "uid": "u1", "resourceVersion": "7"}}
NOT_ALLOWED = status_reply(403, 'jobs.batch is forbidden: User "researcher:api" cannot list resource "jobs"')
NOT_IMPERSONATED = status_reply(
    403, 'groups.authentication.k8s.io "researcher:team-a" is forbidden: User "x" cannot impersonate resource "groups"'
)


@pytest.fixture
def site(site: Script) -> Script:
    """An API server where we may impersonate the group of team A."""
    site.on(RULES, groups_reply("researcher:team-a"))
    return site


@pytest.fixture
def jobs(site: Script) -> CallersCluster:
    """The cluster as Alice reaches it."""
    return Cluster(api_at(site.url)).acting_for(ALICE, Deadline.after(60))


def verdict(*, allowed: bool) -> Reply:
    """The API server's answer to who asks whether they may."""
    return json_reply({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}, 201)


def page(*names: str, more: str | None = None) -> Reply:
    """A page of a list, whose continue token is *more*."""
    return json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"name": name}} for name in names]})


class TestActingFor:
    """As whom the cluster is asked."""

    @pytest.mark.parametrize(
        ("path", "ask"),
        [
            pytest.param(JOBS, lambda jobs: jobs.create(TEAM_A, {}), id="create"),
            pytest.param(JOBS, lambda jobs: jobs.preview(TEAM_A, {}), id="preview"),
            pytest.param(JOB, lambda jobs: jobs.find(TEAM_A, TRAIN_1), id="find"),
            pytest.param(JOBS, lambda jobs: jobs.page(TEAM_A, "", 1, None), id="page"),
            pytest.param(PODS, lambda jobs: jobs.pods(TEAM_A, ["train-1"]), id="pods"),
            pytest.param(JOB, lambda jobs: jobs.delete(TEAM_A, TRAIN_1, None, None), id="delete"),
            pytest.param(ACCESS, lambda jobs: jobs.may_list_jobs(TEAM_A), id="may list Jobs"),
            pytest.param("/version", lambda jobs: jobs.version(), id="version"),
        ],
    )
    def test_every_call_is_the_callers(
        self, site: Script, jobs: CallersCluster, path: str, ask: Callable[[CallersCluster], object]
    ) -> None:
        """Our own identity owns no rights to Jobs; the cluster decides about the caller's groups."""
        site.on(path, json_reply({}))

        ask(jobs)

        (asked,) = site.at(path)
        assert asked.values("Impersonate-User") == ["researcher:api"]
        assert asked.values("Impersonate-Group") == ["researcher:team-a"]
        assert asked.values("Impersonate-Extra-Subject") == ["researcher:alice"]

    def test_call_ends_at_the_callers_deadline(self, site: Script) -> None:
        """It was set when the request came in."""
        late = Cluster(api_at(site.url)).acting_for(ALICE, Deadline(0.0))

        with pytest.raises(DeadlineExceeded):
            late.find(TEAM_A, TRAIN_1)

        assert site.asked == []

    def test_groups_are_read_again_when_impersonation_is_refused(self, site: Script, jobs: CallersCluster) -> None:
        """A group we have just lost is left out then, and the call is made with the others."""
        site.on(RULES, groups_reply("researcher:team-a"), groups_reply())
        site.on(JOB, NOT_IMPERSONATED, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            jobs.find(TEAM_A, TRAIN_1)

        assert [asked.values("Impersonate-Group") for asked in site.at(JOB)] == [["researcher:team-a"], []]

    def test_groups_are_read_again_once(self, site: Script, jobs: CallersCluster) -> None:
        """A cluster that goes on refusing is not asked for ever, and tells nothing of us."""
        site.on(JOB, NOT_IMPERSONATED)

        with pytest.raises(Forbidden) as refusal:
            jobs.find(TEAM_A, TRAIN_1)

        assert (len(site.at(JOB)), len(site.at(RULES))) == (2, 2)
        assert "impersonate" not in refusal.value.detail

    def test_what_the_caller_may_not_is_not_asked_again(self, site: Script, jobs: CallersCluster) -> None:
        """Only a refusal of our impersonation makes our list old."""
        site.on(JOB, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            jobs.find(TEAM_A, TRAIN_1)

        assert (len(site.at(JOB)), len(site.at(RULES))) == (1, 1)


class TestNamespaces:
    """Which Projects there are."""

    def test_all_pages_are_read(self, site: Script) -> None:
        """By the label of Projects, however many there are."""
        site.on(NAMESPACES, page("researcher-a", more="next=1&"), page("researcher-b", more="n2"), page("researcher-c"))

        found = Cluster(api_at(site.url)).namespaces(Deadline.after(60))

        first = [("labelSelector", "researcher.dev/project"), ("limit", "500")]
        assert [one.metadata.name for one in found] == ["researcher-a", "researcher-b", "researcher-c"]
        assert [asked.query for asked in site.asked] == [
            first,
            [*first, ("continue", "next=1&")],
            [*first, ("continue", "n2")],
        ]

    def test_question_is_ours(self, site: Script) -> None:
        """No caller may list namespaces; who may use which is asked for each."""
        site.on(NAMESPACES, page())

        assert Cluster(api_at(site.url)).namespaces(Deadline.after(60)) == []
        assert not [name for name, _ in site.asked[0].headers if name.lower().startswith("impersonate-")]

    def test_refusal_is_told(self, site: Script) -> None:
        """A list that is cut off is none."""
        site.on(NAMESPACES, page("researcher-a", more="n1"), status_reply(410))

        with pytest.raises(PageTokenExpired):
            Cluster(api_at(site.url)).namespaces(Deadline.after(60))


class TestMayListJobs:
    """Whether a caller may use a Project."""

    def test_cluster_decides(self, site: Script, jobs: CallersCluster) -> None:
        """About the verb, the resource and the namespace that a list would need."""
        site.on(ACCESS, verdict(allowed=True))

        assert jobs.may_list_jobs(TEAM_A) is True

        (asked,) = site.at(ACCESS)
        attributes = {"namespace": "researcher-team-a", "verb": "list", "group": "batch", "resource": "jobs"}
        assert asked.method == "POST"
        assert json.loads(asked.body) == {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }

    @pytest.mark.parametrize("document", [{"status": {"allowed": False}}, {"status": {}}, {}])
    def test_anything_else_is_a_no(self, site: Script, jobs: CallersCluster, document: dict[str, object]) -> None:
        """Who is not let in by name stays outside."""
        site.on(ACCESS, json_reply(document, 201))

        assert jobs.may_list_jobs(TEAM_A) is False

    @pytest.mark.parametrize("allowed", [True, False])
    def test_verdict_is_kept_for_thirty_seconds(self, site: Script, allowed: bool) -> None:
        """Both ways; who is given or has lost a Project notices soon."""
        clock = Clock()
        jobs = Cluster(api_at(site.url), clock).acting_for(ALICE, Deadline.after(60))
        site.on(ACCESS, verdict(allowed=allowed), verdict(allowed=not allowed))
        jobs.may_list_jobs(TEAM_A)

        clock.now += ACCESS_KEPT_SECONDS - 1
        assert jobs.may_list_jobs(TEAM_A) is allowed

        clock.now += 1
        assert jobs.may_list_jobs(TEAM_A) is not allowed

    def test_verdict_is_of_groups_and_project(self, site: Script) -> None:
        """Two callers of the same groups share it; another group or Project is another question."""
        connected = Cluster(api_at(site.url))
        site.on(ACCESS, verdict(allowed=True), verdict(allowed=False))
        deadline = Deadline.after(60)

        assert connected.may_list_jobs(TEAM_A, ALICE, deadline)
        assert connected.may_list_jobs(TEAM_A, BOB, deadline)
        assert not connected.may_list_jobs(ProjectName("team-b"), ALICE, deadline)
        assert not connected.may_list_jobs(TEAM_A, Caller("alice", ()), deadline)
        assert not connected.may_list_jobs(TEAM_A, Caller("alice", ("team-a", "team-b")), deadline)
        assert len(site.at(ACCESS)) == 4

    def test_failure_is_not_kept(self, site: Script, jobs: CallersCluster) -> None:
        """No verdict is not a no."""
        site.on(ACCESS, Reply(201, [], b"<html>"), verdict(allowed=True))
        with pytest.raises(ClusterUnavailable):
            jobs.may_list_jobs(TEAM_A)

        assert jobs.may_list_jobs(TEAM_A) is True

    def test_memory_is_bounded(self) -> None:
        """Groups come from tokens: whoever has many identities does not fill the Lambda's memory."""
        api = AlwaysAllowed()
        connected = Cluster(cast("KubernetesApi", api))
        everybody = [Caller("alice", (f"team-{number}",)) for number in range(MAX_KEPT + 1)]
        for caller in everybody:
            connected.may_list_jobs(TEAM_A, caller, Deadline.after(60))
        asked = api.reviews

        connected.may_list_jobs(TEAM_A, everybody[-1], Deadline.after(60))
        assert api.reviews == asked
        connected.may_list_jobs(TEAM_A, everybody[0], Deadline.after(60))
        assert api.reviews == asked + 1


class AlwaysAllowed:
    """An API server in this process, for more questions than a test has time to send: everybody may."""

    def __init__(self) -> None:
        self.reviews = 0

    def send(self, call: Call, headers: Iterable[tuple[str, str]], deadline: Deadline) -> Answer:
        """The answer to a review of access or of rules."""
        assert deadline.remaining
        del headers
        if call.path == RULES:
            return Answer(201, groups_reply().body, None)
        self.reviews += 1
        return Answer(201, b'{"status":{"allowed":true}}', None)


class TestCreate:
    """A Job is made."""

    def test_manifest_is_sent_strictly(self, site: Script, jobs: CallersCluster) -> None:
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

    def test_taken_name_is_no_error(self, site: Script, jobs: CallersCluster) -> None:
        """It may be this very request, delivered before: the use case looks."""
        site.on(JOBS, status_reply(409, 'jobs.batch "train-1" already exists', "AlreadyExists"))

        assert jobs.create(TEAM_A, {}) is None

    def test_write_that_came_in_between_is_no_taken_name(self, site: Script, jobs: CallersCluster) -> None:
        """Two Jobs are counted into one quota: who loses is sent again."""
        site.on(JOBS, BUSY, BUSY, json_reply(TRAIN_1_JSON, 201))

        made = jobs.create(TEAM_A, {})

        assert made is not None
        assert (made.metadata.name, len(site.at(JOBS))) == ("train-1", 3)

    def test_writes_that_keep_coming_in_between(self, site: Script, jobs: CallersCluster) -> None:
        """Are told as what they are, for a retry."""
        site.on(JOBS, BUSY)

        with pytest.raises(ClusterUnavailable, match="Too many Jobs come to this Project at once") as busy:
            jobs.create(TEAM_A, {})

        assert (busy.value.retry_after, len(site.at(JOBS))) == (1, CONFLICTS)

    def test_quota_is_told(self, site: Script, jobs: CallersCluster) -> None:
        """With the cluster's own numbers."""
        site.on(JOBS, status_reply(403, 'jobs.batch "train-1" is forbidden: exceeded quota: gpus, requested: 8'))

        with pytest.raises(QuotaExceeded, match=re.escape("exceeded quota: gpus, requested: 8")):
            jobs.create(TEAM_A, {})

    def test_invalid_field_is_told(self, site: Script, jobs: CallersCluster) -> None:
        """By its name."""
        site.on(JOBS, status_reply(422, causes=[{"field": "spec.completions", "message": "must be positive"}]))

        with pytest.raises(InvalidJob) as refusal:
            jobs.create(TEAM_A, {})

        assert refusal.value.errors[0].pointer == "/spec/completions"


class TestPreview:
    """A Job as it would be made."""

    def test_nothing_is_stored(self, site: Script, jobs: CallersCluster) -> None:
        """The cluster goes through all of its checks, and answers every field."""
        site.on(JOBS, json_reply({**TRAIN_1_JSON, "spec": {"backoffLimit": 6}}, 201))

        preview = jobs.preview(TEAM_A, {"metadata": {"name": "train-1"}})

        assert preview == {**TRAIN_1_JSON, "spec": {"backoffLimit": 6}}
        assert ("dryRun", "All") in site.at(JOBS)[0].query

    def test_taken_name_is_no_error(self, site: Script, jobs: CallersCluster) -> None:
        """As when it is made."""
        site.on(JOBS, status_reply(409, 'jobs.batch "train-1" already exists', "AlreadyExists"))

        assert jobs.preview(TEAM_A, {}) is None


class TestFind:
    """One Job."""

    def test_job(self, site: Script, jobs: CallersCluster) -> None:
        """With what we read of it."""
        site.on(JOB, json_reply(TRAIN_1_JSON))

        found = jobs.find(TEAM_A, TRAIN_1)

        assert found is not None
        assert found.metadata.uid == "u1"
        assert site.at(JOB)[0].method == "GET"

    def test_missing_job_is_none(self, site: Script, jobs: CallersCluster) -> None:
        """What that means, the use case decides."""
        site.on(JOB, status_reply(404, 'jobs.batch "train-1" not found'))

        assert jobs.find(TEAM_A, TRAIN_1) is None

    def test_refusal_is_told(self, site: Script, jobs: CallersCluster) -> None:
        """Another team's Job is not a missing one."""
        site.on(JOB, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            jobs.find(TEAM_A, TRAIN_1)


class TestPage:
    """Some Jobs of a Project."""

    @pytest.mark.parametrize(
        ("selector", "token", "query"),
        [
            pytest.param("", None, [], id="first"),
            pytest.param("", "", [], id="empty token"),
            pytest.param("a=b,c!=d", None, [("labelSelector", "a=b,c!=d")], id="selected"),
            pytest.param("a=b", "n&1=", [("labelSelector", "a=b"), ("continue", "n&1=")], id="next"),
        ],
    )
    def test_query(
        self, site: Script, jobs: CallersCluster, selector: str, token: str | None, query: list[tuple[str, str]]
    ) -> None:
        """Only what is asked for; nothing in it can become another parameter."""
        site.on(JOBS, page("a", "b", more="n2"))

        found = jobs.page(TEAM_A, selector, 50, token)

        assert ([job.metadata.name for job in found.items], found.metadata.continue_) == (["a", "b"], "n2")
        assert site.at(JOBS)[0].query == [("limit", "50"), *query]

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            pytest.param(status_reply(400, "invalid continue token: x"), InvalidPageToken, id="not of this list"),
            pytest.param(status_reply(410, "too old resource version"), PageTokenExpired, id="too old"),
            pytest.param(status_reply(404, "namespace not found"), Forbidden, id="no such Project"),
            pytest.param(NOT_ALLOWED, Forbidden, id="another team's Project"),
            pytest.param(Reply(200, [], b'{"items": [{'), ClusterUnavailable, id="cut off"),
        ],
    )
    def test_refusal_is_told(
        self, site: Script, jobs: CallersCluster, reply: Reply, kind: type[ResearcherError]
    ) -> None:
        """In our errors."""
        site.on(JOBS, reply)

        with pytest.raises(kind):
            jobs.page(TEAM_A, "", 50, None)


class TestPods:
    """The pods of some Jobs."""

    def test_of_no_job(self, site: Script, jobs: CallersCluster) -> None:
        """Nobody is asked."""
        assert jobs.pods(TEAM_A, []) == []
        assert site.asked == []

    def test_are_selected_by_their_jobs(self, site: Script, jobs: CallersCluster) -> None:
        """One call for all of them."""
        site.on(PODS, page("a-x", "b-y"))

        found = jobs.pods(TEAM_A, ["a", "b"])

        assert [pod.metadata.name for pod in found] == ["a-x", "b-y"]
        (asked,) = site.at(PODS)
        assert asked.query == [
            ("labelSelector", "batch.kubernetes.io/job-name in (a,b)"),
            ("fieldSelector", "status.phase!=Succeeded"),
            ("limit", "1000"),
        ]

    def test_of_many_jobs_take_several_calls(self, site: Script, jobs: CallersCluster) -> None:
        """Every name once and in order, and no URL longer than servers take."""
        names = [f"{number:063}" for number in range(2 * NAMES_IN_A_SELECTOR + 1)]
        site.on(PODS, page("x"), page("y"), page("z"))

        found = jobs.pods(TEAM_A, names)

        asked = site.at(PODS)
        selected = [re.findall(r"\d{63}", unquote(one.target)) for one in asked]
        assert [pod.metadata.name for pod in found] == ["x", "y", "z"]
        assert [len(chunk) for chunk in selected] == [NAMES_IN_A_SELECTOR, NAMES_IN_A_SELECTOR, 1]
        assert [name for chunk in selected for name in chunk] == names
        assert max(len(one.target) for one in asked) < 8192

    def test_refusal_is_told(self, site: Script, jobs: CallersCluster) -> None:
        """Jobs without their pods would look as if they waited."""
        site.on(PODS, NOT_ALLOWED)

        with pytest.raises(Forbidden):
            jobs.pods(TEAM_A, ["a"])


class TestDelete:
    """A Job goes."""

    @pytest.mark.parametrize(
        ("uid", "version", "preconditions"),
        [
            pytest.param(None, None, {}, id="whatever it is"),
            pytest.param("u1", None, {"preconditions": {"uid": "u1"}}, id="this Job"),
            pytest.param(None, "7", {"preconditions": {"resourceVersion": "7"}}, id="this version"),
            pytest.param("u1", "7", {"preconditions": {"uid": "u1", "resourceVersion": "7"}}, id="both"),
        ],
    )
    def test_pods_go_with_it(
        self, site: Script, jobs: CallersCluster, uid: str | None, version: str | None, preconditions: dict[str, Any]
    ) -> None:
        """Else their GPUs stayed taken; the cluster itself compares the preconditions."""
        site.on(JOB, json_reply({"kind": "Status", "status": "Success"}))

        jobs.delete(TEAM_A, TRAIN_1, uid, version)

        (asked,) = site.at(JOB)
        assert asked.method == "DELETE"
        assert json.loads(asked.body) == {"propagationPolicy": "Background", **preconditions}

    def test_missing_job(self, site: Script, jobs: CallersCluster) -> None:
        """Is named, with what may have become of it."""
        site.on(JOB, status_reply(404))

        with pytest.raises(JobNotFound) as refusal:
            jobs.delete(TEAM_A, TRAIN_1, None, None)

        assert refusal.value.detail == "The Project team-a has no Job named train-1. It may have been cleaned up."

    def test_job_that_our_lost_attempt_deleted(
        self, site: Script, jobs: CallersCluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Is not missing: the caller wanted it gone, and it is."""
        monkeypatch.setattr("time.sleep", lambda _: None)
        site.on(JOB, status_reply(504), status_reply(404))

        jobs.delete(TEAM_A, TRAIN_1, None, None)

        assert len(site.at(JOB)) == 2

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            pytest.param(status_reply(409, "Precondition failed: UID"), PreconditionFailed, id="another Job by now"),
            pytest.param(NOT_ALLOWED, Forbidden, id="another team's Project"),
        ],
    )
    def test_refusal_is_told(
        self, site: Script, jobs: CallersCluster, reply: Reply, kind: type[ResearcherError]
    ) -> None:
        """The Job is still there then."""
        site.on(JOB, reply)

        with pytest.raises(kind):
            jobs.delete(TEAM_A, TRAIN_1, "u1", None)


class TestVersion:
    """What the cluster runs."""

    def test_version(self, site: Script, jobs: CallersCluster) -> None:
        """As `kubectl version` tells it."""
        site.on("/version", json_reply({"major": "1", "minor": "34", "gitVersion": "v1.34.1-eks-1234567"}))

        assert jobs.version() == "v1.34.1-eks-1234567"


class TestConnect:
    """This deployment's cluster."""

    @pytest.fixture(autouse=True)
    def forgotten(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Nothing stays connected from one test to the next."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        yield
        cluster.connect.cache_clear()
        eks.connect.cache_clear()

    def test_settings_lead_to_the_cluster(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Endpoint, authority and role: a Lambda needs no more to ask as itself."""
        identity = server_identity()
        with Script(identity.context) as api, Script() as sts:
            monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
            sts.on("/", session_reply())
            api.on(NAMESPACES, page("researcher-a"))
            authority = base64.b64encode(identity.ca_pem.encode()).decode()

            connected = cluster.connect(deployment(cluster_endpoint=api.url, cluster_ca=authority))

            assert [one.metadata.name for one in connected.namespaces(Deadline.after(60))] == ["researcher-a"]
            assert api.asked[0].values("Authorization")[0].startswith("Bearer k8s-aws-v1.")

    def test_process_has_one(self) -> None:
        """So that warm calls find their connections, groups and verdicts."""
        assert cluster.connect(deployment()) is cluster.connect(deployment())


def session_reply() -> Reply:
    """STS's answer to AssumeRole."""
    parts = {"AccessKeyId": "id", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2099-01-01T00:00:00Z"}
    given = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    result = f"<AssumeRoleResult><Credentials>{given}</Credentials></AssumeRoleResult>"
    body = f"<AssumeRoleResponse>{result}</AssumeRoleResponse>"
    return Reply(200, [("Content-Type", "text/xml")], body.encode())
