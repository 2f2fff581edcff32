"""The Kubernetes API over HTTP: paths and verbs to objects, Refusals to Status objects."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.local.wire import HttpResponse
from infra.localcluster import access_reviews, field_validation, validating_admission_policy
from infra.localcluster.api_request import ApiRequest, parse_request
from infra.localcluster.go_json import encode
from infra.localcluster.kinds import JOB, POD, Document
from infra.localcluster.log_endpoint import log_of
from infra.localcluster.selectors import by_fields, by_labels
from infra.localcluster.status_errors import StatusError, bad_request, no_such_path, not_allowed
from infra.localcluster.watch import ENDLESS, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.wire import Headers, HttpSyntaxError
    from infra.localcluster.authentication import Authentication
    from infra.localcluster.identity import Identity
    from infra.localcluster.rbac import Rbac
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0-embedded"}

REMEMBERED = 10_000
"""Requests kept for those who ask what was asked."""

_OPEN = {"/version": json.dumps(VERSION).encode(), "/readyz": b"ok", "/livez": b"ok", "/healthz": b"ok"}


@dataclass(frozen=True)
class Request:
    """One line of the log that tests read."""

    method: str
    target: str
    headers: Headers


class Api:
    """The site that the embedded API server serves."""

    def __init__(self, store: Store, writing: Registry, rbac: Rbac, authentication: Authentication) -> None:
        self.requests: deque[Request] = deque(maxlen=REMEMBERED)
        self._store = store
        self._writing = writing
        self._rbac = rbac
        self._authentication = authentication

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The answer to one request."""
        self.requests.append(Request(method, target, headers))
        path = urlsplit(target).path
        if method == "GET" and path in _OPEN:
            return HttpResponse(200, [("Content-Type", "application/json")], _OPEN[path])
        try:
            who = self._authentication.identity(headers)
            asked = parse_request(method, target, body)
            with self._store.lock:
                return self._answer(who, asked)
        except StatusError as refusal:
            return _json(refusal.code, refusal.status)

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """The answer to bytes that are no request."""
        return _json(400, bad_request(error.detail).status)

    def _answer(self, who: Identity, asked: ApiRequest) -> HttpResponse:
        if asked.group == access_reviews.GROUP and asked.verb == "create":
            return _json(201, access_reviews.review(asked.plural, asked.body, who, self._rbac))
        self._rbac.check(who, asked.ask)
        asked.check_dry_run()
        validating_admission_policy.check(who, asked)
        if asked.subresource:
            return self._log(asked)
        verbs: dict[str, Callable[[ApiRequest], HttpResponse]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "patch": self._patch,
            "delete": self._delete,
        }
        if asked.verb not in verbs:
            raise not_allowed()
        return verbs[asked.verb](asked)

    def _get(self, asked: ApiRequest) -> HttpResponse:
        return _json(200, self._store.get(asked.kind, asked.namespace, asked.name))

    def _list(self, asked: ApiRequest) -> HttpResponse:
        token, place = asked.query.get("continue", ""), asked.namespace or None
        return _json(200, self._store.page(asked.kind, place, _selected(asked), _number(asked, "limit", 0), token))

    def _watch(self, asked: ApiRequest) -> HttpResponse:
        watch = Watch(self._store, asked.kind, asked.namespace or None, _selected(asked))
        version = asked.query.get("resourceVersion", "")
        if version and not version.isdecimal():
            raise bad_request(f"resourceVersion: Invalid value: {version}")
        events = watch.events(version, _number(asked, "timeoutSeconds", ENDLESS))
        return HttpResponse(200, [("Content-Type", "application/json")], stream=events)

    def _create(self, asked: ApiRequest) -> HttpResponse:
        if asked.kind is JOB and asked.query.get("fieldValidation") == "Strict":
            field_validation.check_unknown_fields(asked.body)
        return _json(201, self._writing.create(asked.kind, asked.namespace, asked.body, dry_run=asked.dry_run))

    def _patch(self, asked: ApiRequest) -> HttpResponse:
        made = self._writing.patch(asked.kind, asked.namespace, asked.name, asked.body, dry_run=asked.dry_run)
        return _json(200, made)

    def _delete(self, asked: ApiRequest) -> HttpResponse:
        options = asked.body if asked.has_body else asked.query  # a body, even an empty one, outranks the query
        gone = self._writing.delete(asked.kind, asked.namespace, asked.name, options, dry_run=asked.dry_run)
        details = {"name": asked.name, "group": asked.group, "kind": asked.plural, "uid": gone["metadata"]["uid"]}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return _json(200, status)

    def _log(self, asked: ApiRequest) -> HttpResponse:
        if asked.kind is not POD or asked.subresource != "log":
            raise no_such_path()
        log = log_of(self._store.get(POD, asked.namespace, asked.name), asked.query)
        return HttpResponse(204) if log is None else HttpResponse(200, [("Content-Type", "text/plain")], log)


def _selected(asked: ApiRequest) -> Callable[[Document], bool]:
    """Whether an object is one of those that the selectors in the query choose."""
    labels = by_labels(asked.query.get("labelSelector", ""))
    fields = by_fields(asked.query.get("fieldSelector", ""), asked.kind)
    return lambda document: labels(document["metadata"].get("labels") or {}) and fields(document)


def _number(asked: ApiRequest, parameter: str, otherwise: int) -> int:
    text = asked.query.get(parameter, str(otherwise))
    if not re.fullmatch("[0-9]{1,9}", text):
        raise bad_request(f"{parameter}: Invalid value: {text}")
    return int(text)


def _json(status: int, document: Document) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", "application/json")], encode(document))
