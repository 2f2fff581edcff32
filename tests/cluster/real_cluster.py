"""The test control plane as the cluster of the local cloud, with a token webhook for EKS tokens, and GPU nodes."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from infra.local.token_review_webhook import TokenReviews
from tests.cluster.assets import assets_folder
from tests.cluster.control_plane import ControlPlane, TokenWebhook
from tests.cluster.gpu_node import GpuNodes
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infra.localcluster.identity import Identity
    from infra.localcluster.kinds import Kind
    from tests.cluster.json_client import Document

_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class RealCluster:
    """A real API server, controllers and scheduler inside the context; its pods are simulated for *run_seconds*."""

    name = "control-plane"

    def __init__(self, authenticate: Callable[[str], Identity], run_seconds: float = 20.0) -> None:
        self._reviews = TokenReviews(authenticate)
        self._run_seconds = run_seconds
        self._rules: dict[str, list[Document]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start everything; takes seconds."""
        with ExitStack() as started:
            workdir = Path(started.enter_context(TemporaryDirectory(prefix="control-plane-")))
            reviews = started.enter_context(self._reviews)
            webhook = TokenWebhook(reviews.url, reviews.ca_pem)
            self.plane = started.enter_context(ControlPlane(assets_folder(os.environ), workdir, webhook))
            started.enter_context(GpuNodes(self.plane.admin, run_seconds=self._run_seconds))
            self._open = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._open.close()

    @property
    def url(self) -> str:
        """The URL of the API server."""
        return self.plane.url

    @property
    def ca_pem(self) -> str:
        """The certificate authority of the API server."""
        return self.plane.ca_pem

    def apply(self, documents: Iterable[Document]) -> None:
        """Apply the objects as an administrator, and wait until the API server enforces the bindings among them."""
        applied = [self.plane.admin.apply(document) for document in documents]
        self._rules |= {each["metadata"]["name"]: each["rules"] for each in applied if each["kind"] == "ClusterRole"}
        for binding in applied:
            if binding["kind"].endswith("RoleBinding") and binding.get("subjects"):
                self._wait_for(binding, self._rules[binding["roleRef"]["name"]][-1])

    def find(self, kind: Kind, namespace: str) -> list[Document]:
        """Return the objects of *kind* in *namespace*, by name."""
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
        objects: list[Document] = self.plane.admin.get(f"{root}/namespaces/{namespace}/{kind.plural}")["items"]
        return objects

    def _wait_for(self, binding: Document, rule: Document) -> None:
        """Wait until *binding* is effective: the authorizer's cache lags behind for moments."""
        attributes = {
            "verb": rule["verbs"][0],
            "group": rule["apiGroups"][0],
            "resource": rule["resources"][0],
            "name": rule.get("resourceNames", [""])[0],
            "namespace": binding["metadata"].get("namespace", ""),
        }
        subject = binding["subjects"][0]
        subject_fields = {"user": subject["name"]} if subject["kind"] == "User" else {"groups": [subject["name"]]}
        spec = {**subject_fields, "resourceAttributes": attributes}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        eventually(lambda: self.plane.admin.create(_REVIEWS, review)["status"]["allowed"])
