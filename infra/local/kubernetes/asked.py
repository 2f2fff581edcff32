"""A request for objects: what its method, its path, its query and its body ask."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.kubernetes.kinds import BY_PLURAL, Document, Kind
from infra.local.kubernetes.rbac import Ask
from infra.local.kubernetes.refusal import bad_request, no_such_path, not_allowed

_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[a-z0-9.-]+)/v1)(?:/namespaces/(?P<namespace>[^/]+)(?=/[a-z]))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[a-z]+))?"
)
_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Asked:
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

    @property
    def ask(self) -> Ask:
        """The right that it needs."""
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        return Ask(self.verb, self.group, resource, self.namespace, self.name)

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
        return self.query.get("dryRun") == "All" or "All" in (self.body.get("dryRun") or ())


def asked_of(method: str, target: str, body: bytes) -> Asked:
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
    return Asked(verb=verb, query=query, body=_document(body), has_body=bool(body), **parts)


def _document(body: bytes) -> Document:
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise bad_request(f"couldn't parse the body as JSON: {error}") from None
    if not isinstance(document, dict):
        raise bad_request("the body is not an object")
    return document
