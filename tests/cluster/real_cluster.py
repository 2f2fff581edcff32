"""The test control plane as the local cloud's cluster: it asks our webhook whose an EKS token is, and has GPU nodes."""

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
    """A real API server, controllers and scheduler while it is entered; its pods run on paper for *run_seconds*."""

    name = "control-plane"

    def __init__(self, authenticate: Callable[[str], Identity], run_seconds: float = 20.0) -> None:
        self._reviews = TokenReviews(authenticate)
        self._run_seconds = run_seconds
        self._rules: dict[str, list[Document]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Starts all of it; takes seconds."""
        with ExitStack() as started:
            workdir = Path(started.enter_context(TemporaryDirectory(prefix="control-plane-")))
            reviews = started.enter_context(self._reviews)
            webhook = TokenWebhook(reviews.url, reviews.ca_pem)
            self.plane = started.enter_context(ControlPlane(assets_folder(os.environ), workdir, webhook))
            started.enter_context(GpuNodes(self.plane.admin, run_seconds=self._run_seconds))
            self._open = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops all of it."""
        self._open.close()

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return self.plane.url

    @property
    def ca_pem(self) -> str:
        """The authority of the API server's certificate."""
        return self.plane.ca_pem

    def apply(self, documents: Iterable[Document]) -> None:
        """Applies the objects as an administrator, and waits until the API server acts by the bindings among them."""
        applied = [self.plane.admin.apply(document) for document in documents]
        self._rules |= {one["metadata"]["name"]: one["rules"] for one in applied if one["kind"] == "ClusterRole"}
        for binding in applied:
            if binding["kind"].endswith("RoleBinding") and binding.get("subjects"):
                self._wait_for(binding, self._rules[binding["roleRef"]["name"]][-1])

    def find(self, kind: Kind, namespace: str) -> list[Document]:
        """The objects of *kind* in *namespace*, by name."""
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
        found: list[Document] = self.plane.admin.get(f"{root}/namespaces/{namespace}/{kind.plural}")["items"]
        return found

    def _wait_for(self, binding: Document, rule: Document) -> None:
        """The authorizer reads bindings from a watch of its own, which follows within moments."""
        asked = {
            "verb": rule["verbs"][0],
            "group": rule["apiGroups"][0],
            "resource": rule["resources"][0],
            "name": rule.get("resourceNames", [""])[0],
            "namespace": binding["metadata"].get("namespace", ""),
        }
        subject = binding["subjects"][0]
        who = {"user": subject["name"]} if subject["kind"] == "User" else {"groups": [subject["name"]]}
        spec = {**who, "resourceAttributes": asked}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        eventually(lambda: self.plane.admin.create(_REVIEWS, review)["status"]["allowed"])
