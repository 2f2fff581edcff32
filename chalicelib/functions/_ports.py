"""Create adapters that act as the caller of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chalicelib.adapters.kubernetes import cluster
from chalicelib.settings import settings

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.caller_session import CallerSession
    from chalicelib.runtime.http import Request

Adapter = TypeVar("Adapter", bound="CallerSession")


def as_caller(request: Request, adapter: type[Adapter]) -> Adapter:
    """Create *adapter* for this deployment's cluster, with the caller and the deadline of *request*."""
    return adapter(cluster.connect(settings()), request.require_caller(), request.deadline)
