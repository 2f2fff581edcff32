"""The Kubernetes API over HTTP: routes requests to the store and returns each StatusError as a Status object."""

from __future__ import annotations

import json
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.local.wire import HttpResponse
from infra.localcluster import access_reviews, field_validation, validating_admission_policy
from infra.localcluster.api_request import EVICTION, ApiRequest, parse_request
from infra.localcluster.fake_node import update_pod_status
from infra.localcluster.go_json import encode
from infra.localcluster.kinds import JOB, POD, Document
from infra.localcluster.log_content import follow
from infra.localcluster.log_endpoint import read_pod_log
from infra.localcluster.pod_status import disruption
from infra.localcluster.selectors import by_fields, by_labels
from infra.localcluster.status_errors import StatusError, bad_request, no_such_path, not_allowed
from infra.localcluster.watch import DEFAULT_SECONDS, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.local.wire import Headers, HttpSyntaxError
    from infra.localcluster.authentication import Authentication
    from infra.localcluster.identity import Identity
    from infra.localcluster.rbac import Rbac
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0-embedded"}

MAX_RECORDED = 10_000
"""Requests that are recorded for the tests."""

_UNAUTHENTICATED = {"/version": json.dumps(VERSION).encode(), "/readyz": b"ok", "/livez": b"ok", "/healthz": b"ok"}


@dataclass(frozen=True)
class RecordedRequest:
    """A recorded request."""

    method: str
    target: str
    headers: Headers


class Api:
    """The HTTP handler of the embedded API server."""

    def __init__(self, store: Store, registry: Registry, rbac: Rbac, authentication: Authentication) -> None:
        self.requests: deque[RecordedRequest] = deque(maxlen=MAX_RECORDED)
        self._store = store
        self._registry = registry
        self._rbac = rbac
        self._authentication = authentication

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one request."""
        self.requests.append(RecordedRequest(method, target, headers))
        path = urlsplit(target).path
        if method == "GET" and path in _UNAUTHENTICATED:
            return HttpResponse(200, [("Content-Type", "application/json")], _UNAUTHENTICATED[path])
        try:
            who = self._authentication.identity(headers)
            request = parse_request(method, target, body)
            with self._store.lock:
                return self._dispatch(who, request)
        except StatusError as error:
            return _json(error.code, error.status)

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Respond to bytes that are not a valid HTTP request."""
        return _json(400, bad_request(error.detail).status)

    def _dispatch(self, who: Identity, request: ApiRequest) -> HttpResponse:
        if request.group in access_reviews.GROUPS and request.verb == "create":
            return _json(201, access_reviews.review(request.plural, request.body, who, self._rbac))
        self._rbac.check(who, request.access)
        request.check_dry_run()
        validating_admission_policy.check(who, request)
        if request.subresource == EVICTION and request.verb == "create":
            return self._evict(request)
        if request.subresource:
            return self._log(request)
        verbs: dict[str, Callable[[ApiRequest], HttpResponse]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "patch": self._patch,
            "delete": self._delete,
        }
        if request.verb not in verbs:
            raise not_allowed()
        return verbs[request.verb](request)

    def _get(self, request: ApiRequest) -> HttpResponse:
        return _json(200, self._store.get(request.kind, request.namespace, request.name))

    def _list(self, request: ApiRequest) -> HttpResponse:
        token, namespace = request.query.get("continue", ""), request.namespace or None
        limit = _number(request, "limit", 0)
        return _json(200, self._store.page(request.kind, namespace, _selector(request), limit, token))

    def _watch(self, request: ApiRequest) -> HttpResponse:
        watch = Watch(self._store, request.kind, request.namespace or None, _selector(request))
        version = request.query.get("resourceVersion", "")
        if version and not version.isdecimal():
            raise bad_request(f"resourceVersion: Invalid value: {version}")
        events = watch.events(version, _number(request, "timeoutSeconds", DEFAULT_SECONDS))
        return HttpResponse(200, [("Content-Type", "application/json")], stream=events)

    def _create(self, request: ApiRequest) -> HttpResponse:
        if request.kind is JOB and request.query.get("fieldValidation") == "Strict":
            field_validation.check_unknown_fields(request.body)
        return _json(201, self._registry.create(request.kind, request.namespace, request.body, dry_run=request.dry_run))

    def _patch(self, request: ApiRequest) -> HttpResponse:
        patched = self._registry.patch(
            request.kind, request.namespace, request.name, request.body, dry_run=request.dry_run
        )
        return _json(200, patched)

    def _delete(self, request: ApiRequest) -> HttpResponse:
        options = request.body if request.has_body else request.query  # a body takes precedence, even an empty one
        deleted = self._registry.delete(request.kind, request.namespace, request.name, options, dry_run=request.dry_run)
        details = {
            "name": request.name,
            "group": request.group,
            "kind": request.plural,
            "uid": deleted["metadata"]["uid"],
        }
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return _json(200, status)

    def _evict(self, request: ApiRequest) -> HttpResponse:
        """Delete a pod with the condition DisruptionTarget; disruption budgets do not exist here."""
        pod = self._store.get(request.kind, request.namespace, request.name)
        condition = disruption("EvictionByEvictionAPI", "Eviction API: evicting", datetime.now(UTC))
        update_pod_status(self._store, pod, {"conditions": [condition]})
        self._registry.delete(POD, request.namespace, request.name, request.body.get("deleteOptions") or {})
        return _json(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})

    def _follow(self, request: ApiRequest) -> Iterator[bytes]:
        def read() -> tuple[Document, bytes]:
            with self._store.lock:
                pod = self._store.get(POD, request.namespace, request.name)
            return pod, read_pod_log(pod, request.query) or b""

        with suppress(StatusError):
            yield from follow(read)

    def _log(self, request: ApiRequest) -> HttpResponse:
        if request.kind is not POD or request.subresource != "log":
            raise no_such_path()
        log = read_pod_log(self._store.get(POD, request.namespace, request.name), request.query)
        if log is not None and request.query.get("follow") in ("true", "1"):
            return HttpResponse(200, [("Content-Type", "text/plain")], stream=self._follow(request))
        return HttpResponse(204) if log is None else HttpResponse(200, [("Content-Type", "text/plain")], log)


def _selector(request: ApiRequest) -> Callable[[Document], bool]:
    """Return a predicate for the label and field selectors of the query."""
    labels = by_labels(request.query.get("labelSelector", ""))
    fields = by_fields(request.query.get("fieldSelector", ""), request.kind)
    return lambda document: labels(document["metadata"].get("labels") or {}) and fields(document)


def _number(request: ApiRequest, parameter: str, default: int) -> int:
    text = request.query.get(parameter, str(default))
    if not re.fullmatch("[0-9]{1,9}", text):
        raise bad_request(f"{parameter}: Invalid value: {text}")
    return int(text)


def _json(status: int, document: Document) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", "application/json")], encode(document))
