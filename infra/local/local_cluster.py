"""The interface of a cluster for the local cloud, embedded or real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from typing_extensions import TypeVar  # type variable defaults need Python 3.13

from infra.localcluster.cluster import EmbeddedCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from infra.localcluster.identity import Identity
    from infra.localcluster.kinds import Document

    Review = Callable[[str], Identity]
    """Returns the identity of an EKS token; raises PermissionError if the token is invalid."""


class Cluster(Protocol):
    """A Kubernetes cluster that authenticates EKS tokens and runs while its context is active."""

    name: str
    """Shown by /health, so that a local cluster is not mistaken for another one."""

    @property
    def url(self) -> str:
        """The URL of the API server."""

    @property
    def ca_pem(self) -> str:
        """The certificate authority of the API server, in PEM."""

    def apply(self, documents: Iterable[Document]) -> None:
        """Create or update objects as an administrator."""

    def __enter__(self) -> Self:
        """Start the cluster."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the cluster."""


SomeCluster = TypeVar("SomeCluster", bound=Cluster, default=EmbeddedCluster)
