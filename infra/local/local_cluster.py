"""What the local cloud needs of a cluster, be it embedded or real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from typing_extensions import TypeVar  # its defaults come with Python 3.13

from infra.localcluster.cluster import EmbeddedCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from infra.localcluster.identity import Identity
    from infra.localcluster.kinds import Document

    Review = Callable[[str], Identity]
    """Tells whose an EKS token is; PermissionError for nobody's."""


class Cluster(Protocol):
    """A Kubernetes cluster that authenticates by EKS tokens, while it is entered."""

    name: str
    """Shown by /health, so that nobody takes a local cluster for another."""

    @property
    def url(self) -> str:
        """Where its API server listens."""

    @property
    def ca_pem(self) -> str:
        """The authority that its certificate is from."""

    def apply(self, documents: Iterable[Document]) -> None:
        """Creates or changes objects, as an administrator."""

    def __enter__(self) -> Self:
        """Starts it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops it."""


SomeCluster = TypeVar("SomeCluster", bound=Cluster, default=EmbeddedCluster)
