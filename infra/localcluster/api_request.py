"""Requests to the Kubernetes API, parsed from method, path, query and body."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.localcluster.kinds import BY_PLURAL, Document, Kind
from infra.localcluster.rbac import AccessAttributes
from infra.localcluster.status_errors import bad_request, invalid, no_such_path, not_allowed

_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[a-z0-9.-]+)/v1)(?:/namespaces/(?P<namespace>[^/]+)(?=/[a-z]))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[a-z]+))?"
)
EVICTION = "eviction"
"""The subresource of a pod that is created to evict it."""
_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class ApiRequest:
    """A parsed request."""

    verb: str
    group: str
    plural: str
    namespace: str
    name: str
    subresource: str
    query: dict[str, str]
    body: Document
    has_body: bool
    dry_run_parameters: list[str]

    @property
    def access(self) -> AccessAttributes:
        """The permission that the request needs."""
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        return AccessAttributes(self.verb, self.group, resource, self.namespace, self.name)

    @property
    def kind(self) -> Kind:
        """The kind of its objects; StatusError 404 if the API does not serve it."""
        try:
            return BY_PLURAL[self.group, self.plural]
        except KeyError:
            raise no_such_path() from None

    @property
    def dry_run(self) -> bool:
        """Whether the request is a dry run."""
        return bool(self._dry_runs)

    def check_dry_run(self) -> None:
        """Raise StatusError 422 if a write requests a dry run of another stage than All."""
        if self.verb in _VERBS.values() and set(self._dry_runs) - {"All"}:
            message = f'Unsupported value: {json.dumps(self._dry_runs)}: supported values: "All"'
            cause = {"reason": "FieldValueNotSupported", "field": "dryRun", "message": message}
            raise invalid(f"{self.verb.capitalize()}Options.meta.k8s.io", "", [cause])

    @property
    def _dry_runs(self) -> list[str]:
        """The dry-run stages; the options of a deletion may be its body, which takes precedence over the query."""
        if self.verb == "delete" and self.has_body:
            return [*(self.body.get("dryRun") or ())]
        return self.dry_run_parameters


def parse_request(method: str, target: str, body: bytes) -> ApiRequest:
    """Parse a request; raise StatusError 404 or 405 for its path or method, 400 if its body is not an object."""
    url = urlsplit(target)
    match = _PATH.fullmatch(url.path)
    if match is None:
        raise no_such_path()
    parts = {key: unquote(value or "") for key, value in match.groupdict().items()}
    query = dict(parse_qsl(url.query))
    collection_verb = "watch" if query.get("watch") in ("true", "1") else "list"
    verb = _VERBS.get(method) or ("get" if parts["name"] else collection_verb)
    if verb == "delete" and not parts["name"]:
        verb = "deletecollection"
    needs_name = verb in ("get", "patch", "delete") or parts["subresource"] == EVICTION
    if method not in (*_VERBS, "GET") or needs_name != bool(parts["name"]):
        raise not_allowed()
    dry_runs = [value for key, value in parse_qsl(url.query, keep_blank_values=True) if key == "dryRun"]
    return ApiRequest(
        verb=verb, query=query, body=_document(body), has_body=bool(body), dry_run_parameters=dry_runs, **parts
    )


def _document(body: bytes) -> Document:
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise bad_request(f"couldn't parse the body as JSON: {error}") from None
    if not isinstance(document, dict):
        raise bad_request("the body must be an object")
    return document
