"""The EKS cluster: each call as its caller and within the deadline; its Projects, and who may use them."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters import eks
from chalicelib.adapters.impersonation import Impersonation
from chalicelib.adapters.kube_api import Answer, Call, KubernetesApi, parameters
from chalicelib.adapters.refusals import decoded, refuses_impersonation
from chalicelib.domain.kubernetes import Namespace, NamespaceList
from chalicelib.domain.names import PROJECT_MARK, ProjectName, namespace_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.settings import Settings

PAGE = 500
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

    def namespaces(self, deadline: Deadline) -> list[Namespace]:
        """The namespaces that are labelled as Projects, whoever may use them. Asked as ourselves."""
        found: list[Namespace] = []
        token: str | None = None
        while True:
            query = parameters(labelSelector=PROJECT_MARK, limit=PAGE, **{"continue": token})
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

    def version(self, caller: Caller, deadline: Deadline) -> str:
        """The version of Kubernetes the cluster runs."""
        return decoded(self.send_as(caller, Call("GET", "/version"), deadline), _Version).git_version

    def _review(self, project: ProjectName, caller: Caller, deadline: Deadline) -> bool:
        asked = {"namespace": namespace_of(project), "verb": "list", "group": "batch", "resource": "jobs"}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        call = Call("POST", _ACCESS, body=msgspec.json.encode(body))
        return decoded(self.send_as(caller, call, deadline), _AccessReview).status.allowed


class _Allowed(msgspec.Struct):
    allowed: bool = False


class _AccessReview(msgspec.Struct):
    status: _Allowed = msgspec.field(default_factory=_Allowed)


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


@cache
def connect(settings: Settings) -> Cluster:
    """This deployment's cluster, one for each process."""
    return Cluster(KubernetesApi(settings.cluster_endpoint, settings.cluster_ca, eks.connect(settings)))
