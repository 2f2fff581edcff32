"""A request for objects: what its method, its path, its query and its body ask."""

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
_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class ApiRequest:
    """One request for objects."""

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
    def ask(self) -> AccessAttributes:
        """The right that it needs."""
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        return AccessAttributes(self.verb, self.group, resource, self.namespace, self.name)

    @property
    def kind(self) -> Kind:
        """The kind of objects it is about; Refusal 404 when it is not served."""
        try:
            return BY_PLURAL[self.group, self.plural]
        except KeyError:
            raise no_such_path() from None

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be kept."""
        return bool(self._dry_runs)

    def check_dry_run(self) -> None:
        """Refusal 422 where a write asks for a dry run of another stage than All."""
        if self.verb in _VERBS.values() and set(self._dry_runs) - {"All"}:
            message = f'Unsupported value: {json.dumps(self._dry_runs)}: supported values: "All"'
            cause = {"reason": "FieldValueNotSupported", "field": "dryRun", "message": message}
            raise invalid(f"{self.verb.capitalize()}Options.meta.k8s.io", "", [cause])

    @property
    def _dry_runs(self) -> list[str]:
        """The stages of a dry run; of a deletion the options may be its body, which then outranks the query."""
        if self.verb == "delete" and self.has_body:
            return [*(self.body.get("dryRun") or ())]
        return self.dry_run_parameters


def parse_request(method: str, target: str, body: bytes) -> ApiRequest:
    """What the request asks; Refusal 404 or 405 where nobody answers, 400 for a body that is no object."""
    url = urlsplit(target)
    found = _PATH.fullmatch(url.path)
    if found is None:
        raise no_such_path()
    parts = {key: unquote(value or "") for key, value in found.groupdict().items()}
    query = dict(parse_qsl(url.query))
    several = "watch" if query.get("watch") in ("true", "1") else "list"
    verb = _VERBS.get(method) or ("get" if parts["name"] else several)
    if verb == "delete" and not parts["name"]:
        verb = "deletecollection"
    names_one = verb in ("get", "patch", "delete")
    if method not in (*_VERBS, "GET") or names_one != bool(parts["name"]):
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
