"""The EKS cluster: requests as a caller, the Projects, and which callers may use them."""

from __future__ import annotations

import time
from functools import cache
from http import HTTPStatus
from ssl import SSLError
from typing import TYPE_CHECKING, TypeVar

import msgspec

from chalicelib import configuration
from chalicelib.adapters.aws import eks_tokens
from chalicelib.adapters.http import bounded_body
from chalicelib.adapters.kubernetes.access_reviews import access_review, is_allowed, rules, rules_review
from chalicelib.adapters.kubernetes.api_client import KubernetesApi
from chalicelib.adapters.kubernetes.api_request import ApiRequest, ApiResponse, parameters
from chalicelib.adapters.kubernetes.errors import decode_or_raise, refuses_impersonation
from chalicelib.adapters.kubernetes.impersonation import Impersonation, preflight_headers
from chalicelib.adapters.kubernetes.ttl_cache import TtlCache
from chalicelib.domain.caller import PREFIX
from chalicelib.domain.errors import Forbidden
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.kubernetes.jobs import Namespace, NamespaceList
from chalicelib.domain.kubernetes.rbac import verbs_on_jobs
from chalicelib.domain.labels import PROJECT_LABEL
from chalicelib.domain.names import ProjectName, namespace_of
from chalicelib.settings import InvalidSettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from chalicelib.adapters.http.bounded_body import BodyReader
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.settings import Settings

PAGE = 500
ACCESS_TTL_SECONDS = 30

Found = TypeVar("Found")
AccessKey = tuple[frozenset[str], ProjectName]
"""The caller's groups, and the Project."""
PermissionKey = tuple[frozenset[str], ProjectName, str]
"""The caller's groups, the Project, and a verb on its Jobs."""


class Cluster:
    """One cluster, shared by all callers."""

    def __init__(self, api: KubernetesApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._impersonation = Impersonation(api, clock)
        self._access: TtlCache[PermissionKey, bool] = TtlCache(ACCESS_TTL_SECONDS, clock)
        self._verbs: TtlCache[AccessKey, list[str]] = TtlCache(ACCESS_TTL_SECONDS, clock)

    def namespaces(self, deadline: Deadline) -> list[Namespace]:
        """List all namespaces with the Project label, as the API itself and not as a caller."""
        namespaces: list[Namespace] = []
        token: str | None = None
        while True:
            query = parameters(labelSelector=PROJECT_LABEL, limit=PAGE, **{"continue": token})
            response = self._api.send(ApiRequest("GET", "/api/v1/namespaces", query), (), deadline)
            page = _decode_own(response, NamespaceList)
            namespaces += page.items
            token = page.metadata.continue_
            if not token:
                return namespaces

    def send(self, request: ApiRequest, deadline: Deadline, headers: Iterable[tuple[str, str]] = ()) -> ApiResponse:
        """Send *request* as the API itself, which has no permissions for Jobs, or with impersonation *headers*."""
        return self._api.send(request, headers, deadline)

    def send_as(
        self, caller: Caller, request: ApiRequest, deadline: Deadline, read: BodyReader | None = None
    ) -> ApiResponse:
        """Send *request* as *caller*; if impersonation is forbidden, read the API's own groups again and retry once."""
        response = self._api.send(request, self._impersonation.headers(caller, deadline), deadline, read)
        if refuses_impersonation(response):
            headers = self._impersonation.headers(caller, deadline, fresh=True)
            response = self._api.send(request, headers, deadline, read)
        return response

    def send_as_preflight(self, caller: Caller, request: ApiRequest, deadline: Deadline) -> ApiResponse:
        """Send a dry run as the preflight user, which may do nothing else; *caller* is only in the audit log."""
        return self._api.send(request, preflight_headers(caller), deadline)

    def lines_as(self, caller: Caller, request: ApiRequest, deadline: Deadline) -> Generator[bytes, None, None]:
        """Yield the lines of a watch as *caller*; none if it fails, since the next request gets the error."""
        return self._api.stream(request, self._impersonation.headers(caller, deadline), deadline)

    def chunks_as(self, caller: Caller, request: ApiRequest, deadline: Deadline) -> Generator[bytes, None, None]:
        """Yield the chunks of a log that is followed as *caller*; none if it fails."""
        return self._api.stream(request, self._impersonation.headers(caller, deadline), deadline, bounded_body.chunks)

    def namespace(self, project: ProjectName, deadline: Deadline) -> Namespace | None:
        """Return the Project's namespace, or None, as the API itself and not as a caller."""
        response = self._api.send(ApiRequest("GET", f"/api/v1/namespaces/{namespace_of(project)}"), (), deadline)
        return None if response.status == HTTPStatus.NOT_FOUND else _decode_own(response, Namespace)

    def may_list_jobs(self, project: ProjectName, caller: Caller, deadline: Deadline) -> bool:
        """Return whether *caller* may list the Project's Jobs, by an access review that is cached for 30 seconds."""
        return self.has_permission("list", project, caller, deadline)

    def has_permission(self, verb: str, project: ProjectName, caller: Caller, deadline: Deadline) -> bool:
        """Return whether *caller* has *verb* on the Project's Jobs, by an access review, cached for 30 seconds."""
        review = access_review(namespace_of(project), verb, "batch", "jobs")
        key = (caller.kubernetes_groups, project, verb)
        return self._access.get_or_load(key, lambda: is_allowed(self.send_as(caller, review, deadline)))

    def verbs_on_jobs(self, project: ProjectName, caller: Caller, deadline: Deadline) -> list[str]:
        """Return the verbs that *caller* has on the Project's Jobs, by a rules review that is cached for 30 seconds."""
        review = rules_review(namespace_of(project))
        key = (caller.kubernetes_groups, project)
        return self._verbs.get_or_load(key, lambda: verbs_on_jobs(rules(self.send_as(caller, review, deadline))))

    def groups_of(self, caller: Caller, deadline: Deadline) -> list[str]:
        """Return the groups of *caller* that have access to a Project of this cluster, as the token names them."""
        return sorted(group.removeprefix(PREFIX) for group in self._impersonation.groups(caller, deadline))

    def version(self, caller: Caller, deadline: Deadline) -> str:
        """Return the cluster's Kubernetes version."""
        return decode_or_raise(self.send_as(caller, ApiRequest("GET", "/version"), deadline), _Version).git_version


def _decode_own(response: ApiResponse, kind: type[Found]) -> Found:
    """Decode the response to a request of the API itself; the log says if the API lacks a permission."""
    try:
        return decode_or_raise(response, kind)
    except Forbidden as error:
        note_reason(error, FailureReason.FORBIDDEN_TO_API)
        raise


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


@cache
def connect(settings: Settings) -> Cluster:
    """Return this deployment's cluster, one for each process; InvalidSettingError if its authorities are invalid."""
    authorities = configuration.load(settings.configuration_file).cluster_authorities
    try:
        api = KubernetesApi(settings.cluster_endpoint, configuration.pem(authorities), eks_tokens.connect(settings))
    except (ValueError, SSLError) as error:
        raise InvalidSettingError("clusterAuthorities must be certificates in PEM, or the base64 of one") from error
    return Cluster(api)
