"""ResourceQuotas, as the API server returns them."""

from __future__ import annotations

import msgspec

from chalicelib.domain.kubernetes.jobs import ObjectMeta


class Amounts(msgspec.Struct):
    """What a quota allows, and what of it is used; quantities as Kubernetes writes them."""

    hard: dict[str, str] = {}
    used: dict[str, str] = {}


class ResourceQuota(msgspec.Struct):
    """A ResourceQuota of the cluster; what of it we read."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: Amounts = msgspec.field(default_factory=Amounts)


class QuotaList(msgspec.Struct):
    """The quotas of a namespace."""

    items: list[ResourceQuota] = []
