"""The EKS cluster: Jobs, their pods and Projects, each call as the caller and within the deadline."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters import eks
from chalicelib.adapters.impersonation import Impersonation
from chalicelib.adapters.kube_api import Answer, Call, KubernetesApi
from chalicelib.adapters.refusals import OK, decoded, is_taken, refusal, refuses_impersonation
from chalicelib.domain.errors import ClusterUnavailable, JobNotFound
from chalicelib.domain.kubernetes import Job, JobList, Manifest, Namespace, NamespaceList, Pod, PodList
from chalicelib.domain.names import PROJECT_MARK, JobName, ProjectName, namespace_of
from chalicelib.domain.selectors import pod_selector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.settings import Settings

NAMES_IN_A_SELECTOR = 100
"""Of at most 63 characters each, so that a URL stays below 8 KiB."""
PAGE = 500
MAX_PODS = 1000
UNFINISHED = "status.phase!=Succeeded"
"""Pods that succeeded stay as long as their Job, which may have made 100,000 of them; no view needs them."""
CONFLICTS = 3
"""Times a creation is sent that meets others: quotas are counted by versions, and one of two writers loses."""
ACCESS_KEPT_SECONDS = 30
MAX_KEPT = 10_000

_ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Cluster:
    """One cluster, for all callers."""

    def __init__(self, api: KubernetesApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._impersonation = Impersonation(api, clock)
        self._clock = clock
        self._access: dict[tuple[frozenset[str], ProjectName], tuple[float, bool]] = {}

    def acting_for(self, caller: Caller, deadline: Deadline) -> CallersCluster:
        """This cluster as *caller* may reach it until *deadline*."""
        return CallersCluster(self, caller, deadline)

    def namespaces(self, deadline: Deadline) -> list[Namespace]:
        """The namespaces that are labelled as Projects, whoever may use them. Asked as ourselves."""
        found: list[Namespace] = []
        token: str | None = None
        while True:
            query = _query(labelSelector=PROJECT_MARK, limit=str(PAGE)) + (
                _query(**{"continue": token}) if token else ()
            )
            page = decoded(self._api.send(Call("GET", "/api/v1/namespaces", query), (), deadline), NamespaceList)
            found += page.items
            token = page.metadata.continue_
            if not token:
                return found

    def send_as(self, caller: Caller, call: Call, deadline: Deadline) -> Answer:
        """The answer to *call* as *caller*; groups we were just given or have lost are read again once."""
        answer = self._api.send(call, self._impersonation.headers(caller, deadline), deadline)
        if refuses_impersonation(answer):
            answer = self._api.send(call, self._impersonation.headers(caller, deadline, fresh=True), deadline)
        return answer

    def may_list_jobs(self, project: ProjectName, caller: Caller, deadline: Deadline) -> bool:
        """Whether *caller* may list the Project's Jobs, by the cluster's own verdict of the last 30 seconds."""
        key = (caller.kubernetes_groups, project)
        until, verdict = self._access.get(key, (0.0, False))
        if self._clock() < until:
            return verdict
        verdict = self._review(project, caller, deadline)
        if len(self._access) >= MAX_KEPT:
            self._access.clear()
        self._access[key] = (self._clock() + ACCESS_KEPT_SECONDS, verdict)
        return verdict

    def _review(self, project: ProjectName, caller: Caller, deadline: Deadline) -> bool:
        asked = {"namespace": namespace_of(project), "verb": "list", "group": "batch", "resource": "jobs"}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        call = Call("POST", _ACCESS, body=msgspec.json.encode(body))
        return decoded(self.send_as(caller, call, deadline), _AccessReview).status.allowed


class CallersCluster:
    """The cluster as one caller reaches it: the port of the use cases."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline) -> None:
        self._cluster = cluster
        self._caller = caller
        self._deadline = deadline

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """The Job made from *manifest*, or None when its name is taken."""
        answer = self._post(project, manifest)
        return None if is_taken(answer) else decoded(answer, Job)

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """The Job as the cluster would store it, or None when its name is taken; nothing is made."""
        answer = self._post(project, manifest, *_query(dryRun="All"))
        return None if is_taken(answer) else decoded(answer, Manifest)

    def find(self, project: ProjectName, name: JobName) -> Job | None:
        """The Job of that name, or None."""
        answer = self._send(Call("GET", f"{_jobs(project)}/{name}"))
        return None if answer.status == 404 else decoded(answer, Job)  # noqa: PLR2004 - NotFound

    def page(self, project: ProjectName, selector: str, limit: int, token: str | None) -> JobList:
        """The next Jobs that match *selector*, at most *limit*, in the order of their names."""
        query = _query(limit=str(limit))
        query += _query(labelSelector=selector) if selector else ()
        query += _query(**{"continue": token}) if token else ()
        return decoded(self._send(Call("GET", _jobs(project), query)), JobList)

    def pods(self, project: ProjectName, jobs: list[str]) -> list[Pod]:
        """Pods of *jobs* that have not succeeded, MAX_PODS for each hundred of them: enough to say why they wait."""
        found: list[Pod] = []
        for names in _chunks(jobs):
            path = f"/api/v1/namespaces/{namespace_of(project)}/pods"
            query = _query(labelSelector=pod_selector(names), fieldSelector=UNFINISHED, limit=str(MAX_PODS))
            answer = self._send(Call("GET", path, query))
            found += decoded(answer, PodList).items
        return found

    def delete(self, project: ProjectName, name: JobName, uid: str | None, version: str | None) -> None:
        """Deletes the Job and its pods, if it still has that uid and resource version."""
        preconditions = {key: value for key, value in (("uid", uid), ("resourceVersion", version)) if value}
        # Without a policy batch/v1 leaves the pods running, and their GPUs taken.
        options = {"propagationPolicy": "Background"} | ({"preconditions": preconditions} if preconditions else {})
        answer = self._send(Call("DELETE", f"{_jobs(project)}/{name}", body=msgspec.json.encode(options)))
        if answer.status == 404 and not answer.repeated:  # noqa: PLR2004 - NotFound
            raise JobNotFound(f"The Project {project} has no Job named {name}. It may have been cleaned up.")
        if answer.status not in (*OK, 404):
            raise refusal(answer)

    def version(self) -> str:
        """The version of Kubernetes the cluster runs."""
        return decoded(self._send(Call("GET", "/version")), _Version).git_version

    def may_list_jobs(self, project: ProjectName) -> bool:
        """Whether the caller may list the Project's Jobs."""
        return self._cluster.may_list_jobs(project, self._caller, self._deadline)

    def _post(self, project: ProjectName, manifest: Manifest, *query: tuple[str, str]) -> Answer:
        strict = _query(fieldValidation="Strict", fieldManager="researcher-api")
        call = Call("POST", _jobs(project), strict + query, msgspec.json.encode(manifest))
        for _ in range(CONFLICTS):
            answer = self._send(call)
            if answer.status != 409 or is_taken(answer):  # noqa: PLR2004 - Conflict
                return answer
        raise ClusterUnavailable("Too many Jobs come to this Project at once. Try again.", retry_after=1)

    def _send(self, call: Call) -> Answer:
        return self._cluster.send_as(self._caller, call, self._deadline)


class _Allowed(msgspec.Struct):
    allowed: bool = False


class _AccessReview(msgspec.Struct):
    status: _Allowed = msgspec.field(default_factory=_Allowed)


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


def _jobs(project: ProjectName) -> str:
    return f"/apis/batch/v1/namespaces/{namespace_of(project)}/jobs"


def _query(**parameters: str) -> tuple[tuple[str, str], ...]:
    return tuple(parameters.items())


def _chunks(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + NAMES_IN_A_SELECTOR] for start in range(0, len(names), NAMES_IN_A_SELECTOR))


@cache
def connect(settings: Settings) -> Cluster:
    """This deployment's cluster, one for each process."""
    return Cluster(KubernetesApi(settings.cluster_endpoint, settings.cluster_ca, eks.connect(settings)))
