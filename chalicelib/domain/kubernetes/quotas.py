"""ResourceQuotas, as the API server returns them."""

from __future__ import annotations

import msgspec

from chalicelib.domain.kubernetes.jobs import ObjectMeta


class Amounts(msgspec.Struct):
    """The limits of a quota and their usage, as Kubernetes quantities."""

    hard: dict[str, str] = {}
    used: dict[str, str] = {}


class ResourceQuota(msgspec.Struct):
    """A ResourceQuota."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: Amounts = msgspec.field(default_factory=Amounts)


class QuotaList(msgspec.Struct):
    """The ResourceQuotas of a namespace."""

    items: list[ResourceQuota] = []
