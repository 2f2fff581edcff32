"""The write path of all clients and controllers: validation, defaults and admission, then the store."""

from __future__ import annotations

import copy
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from infra.localcluster import job_validation, pod_deletion
from infra.localcluster.kinds import EVENT, JOB, NAMESPACE, POD, SERVICE_ACCOUNT
from infra.localcluster.status_errors import bad_request, conflict, invalid, not_found
from infra.localcluster.store import now

if TYPE_CHECKING:
    from infra.localcluster.admission import Admission
    from infra.localcluster.kinds import Document, Kind
    from infra.localcluster.store import Store

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The characters of generated names, without vowels, so that they form no words."""
_MAX_NAME = 253


class Registry:
    """Writes the objects that *admission* admits to *store*."""

    def __init__(self, store: Store, admission: Admission) -> None:
        self._store = store
        self._admission = admission

    def create(self, kind: Kind, namespace: str, document: Document, *, dry_run: bool = False) -> Document:
        """Create an object with the fields that the cluster adds; raise StatusError if it is rejected.

        A dry run stores nothing.
        """
        document = copy.deepcopy(document)
        with self._store.lock:
            metadata = document.setdefault("metadata", {})
            if kind.namespaced:
                self._check_namespace(namespace, metadata)
            _check_name(kind, metadata)
            document |= {"apiVersion": kind.api_version, "kind": kind.name}
            if kind is JOB:
                job_validation.check(document)
            self._store.check_free(kind, namespace, metadata["name"])
            self._admission.admit(kind, namespace, document)
            self._store.identify(metadata)
            _set_defaults(kind, document)
            if dry_run:
                return document
            created = self._store.add(kind, namespace, document)
            if kind is NAMESPACE:  # pods need this account
                self.create(SERVICE_ACCOUNT, metadata["name"], {"metadata": {"name": "default"}})
            return created

    def patch(self, kind: Kind, namespace: str, name: str, change: Document, *, dry_run: bool = False) -> Document:
        """Apply the merge patch *change* (RFC 7396); raise StatusError 409 if the resource version does not match."""
        with self._store.lock:
            old = self._store.get(kind, namespace, name)
            _check_preconditions(kind, old, change.get("metadata", {}))
            new: Document = copy.deepcopy(apply_merge_patch(old, change))
            if new == old or dry_run:
                return new
            if pod_deletion.is_complete(new):
                self._remove(kind, old)  # the object waited only for its finalizers
                return new
            if new.get("spec") != old.get("spec"):
                new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
            return self._store.replace(kind, new)

    def delete(self, kind: Kind, namespace: str, name: str, options: Document, *, dry_run: bool = False) -> Document:
        """Delete an object and return it; raise StatusError 409 if a precondition in *options* fails."""
        with self._store.lock:
            old = self._store.get(kind, namespace, name)
            _check_preconditions(kind, old, options.get("preconditions") or {})
            # Unlike other kinds, a batch/v1 Job orphans its pods by default.
            policy = options.get("propagationPolicy") or ("Orphan" if kind is JOB else "Background")
            if not dry_run and kind is POD:
                return self._delete_pod(old, options)
            if not dry_run and old["metadata"].get("finalizers"):
                terminating: Document = copy.deepcopy(
                    apply_merge_patch(old, {"metadata": {"deletionTimestamp": now()}})
                )
                return self._store.replace(kind, terminating)
            if not dry_run:
                self._remove(kind, old, orphan=policy == "Orphan")
            return old

    def release(self, pod: Document) -> None:
        """Remove the finalizer of the Job controller from *pod*."""
        metadata, released = pod["metadata"], pod_deletion.released(pod)
        if pod_deletion.is_complete(released):
            self._store.remove(POD, metadata["namespace"], metadata["name"])
        elif metadata.get("finalizers"):
            self._store.replace(POD, released)

    def record(self, about: Document, kind: str, reason: str, message: str) -> None:
        """Create an event about an object, or increment the count of an equal one."""
        metadata = about["metadata"]
        involved = {"kind": about["kind"], **{name: metadata[name] for name in ("name", "namespace", "uid")}}
        for event in self._store.all(EVENT, metadata["namespace"]):
            if event["involvedObject"] == involved and (event["reason"], event["message"]) == (reason, message):
                self._store.replace(EVENT, {**event, "count": event["count"] + 1, "lastTimestamp": now()})
                return
        times = {"firstTimestamp": now(), "lastTimestamp": now(), "count": 1}
        event = {"involvedObject": involved, "type": kind, "reason": reason, "message": message, **times}
        self.create(EVENT, metadata["namespace"], {"metadata": {"generateName": f"{metadata['name']}."}, **event})

    def _delete_pod(self, pod: Document, options: Document) -> Document:
        """Remove *pod*, or begin its grace period; the kubelet removes it when its containers have ended."""
        terminating = pod_deletion.terminating(pod, options, datetime.now(UTC))
        if pod_deletion.is_complete(terminating):
            self._remove(POD, pod)
            return pod
        return pod if terminating == pod else self._store.replace(POD, terminating)

    def _remove(self, kind: Kind, document: Document, *, orphan: bool = False) -> None:
        """Remove an object; the pods of a Job end gracefully, or go on if they are orphans."""
        metadata = document["metadata"]
        self._store.remove(kind, metadata.get("namespace", ""), metadata["name"], orphan=orphan)
        for pod in self._store.owned_by(metadata["uid"], POD) if kind is JOB else ():
            self.release(pod)
            if not orphan and (remaining := self._store.find(POD, metadata["namespace"], pod["metadata"]["name"])):
                self._delete_pod(remaining, {})

    def _check_namespace(self, namespace: str, metadata: Document) -> None:
        if metadata.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        if self._store.find(NAMESPACE, "", namespace) is None:
            raise not_found(NAMESPACE.resource, namespace)


def _check_name(kind: Kind, metadata: Document) -> None:
    if not metadata.get("name") and metadata.get("generateName"):
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        metadata["name"] = metadata["generateName"][:58] + suffix
    name = metadata.get("name")
    pattern = _PATH_SEGMENT if kind.group.startswith("rbac.") else _SUBDOMAIN
    if not isinstance(name, str) or not pattern.fullmatch(name) or len(name) > _MAX_NAME:
        message = "Required value: name or generateName is required" if not name else f'Invalid value: "{name}"'
        cause = {"reason": "FieldValueInvalid", "field": "metadata.name", "message": message}
        raise invalid(f"{kind.name}.{kind.group}".rstrip("."), str(name), [cause])


def _check_preconditions(kind: Kind, document: Document, preconditions: Document) -> None:
    for field, label, cause in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        value, found = preconditions.get(field), document["metadata"][field]
        if value and value != found:
            mismatch = f"the {label} in the precondition ({value}) does not match the {label} in record ({found})"
            message = f"{mismatch}. The object might have been {cause}"
            raise conflict(f"{kind.name}.{kind.group}".rstrip("."), document["metadata"]["name"], message)


def _set_defaults(kind: Kind, document: Document) -> None:
    if kind is JOB:
        job_validation.set_defaults(document)
    elif kind is POD:
        document.setdefault("status", {"phase": "Pending"})
    elif kind is NAMESPACE:
        metadata = document["metadata"]
        metadata["labels"] = {**metadata.get("labels", {}), "kubernetes.io/metadata.name": metadata["name"]}
        document["status"] = {"phase": "Active"}
