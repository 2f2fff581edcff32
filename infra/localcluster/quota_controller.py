"""The quota controller, which writes the usage into the status of each quota."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from infra.localcluster.admission import is_scoped
from infra.localcluster.kinds import QUOTA

if TYPE_CHECKING:
    from datetime import datetime

    from infra.localcluster.admission import Admission
    from infra.localcluster.store import Store


class QuotaController:
    """Updates the status of the quotas in *store*; *admission* does not use it and counts the objects each time."""

    def __init__(self, store: Store, admission: Admission) -> None:
        self._store = store
        self._admission = admission

    def step(self, moment: datetime) -> None:
        """Update every quota."""
        del moment
        for quota in self._store.all(QUOTA):
            hard = quota["spec"]["hard"]
            usage = {} if is_scoped(quota) else self._admission.usage(quota["metadata"]["namespace"])
            used = {name: f"{usage.get(name, Decimal(0)).normalize():f}" for name in hard}
            status = {"hard": hard, "used": used}
            if quota.get("status") != status:
                self._store.replace(QUOTA, {**quota, "metadata": {**quota["metadata"]}, "status": status})
