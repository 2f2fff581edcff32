"""Keeping a Job on the cluster."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from infra.localcluster.kinds import JOB
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api
    from tests.support.scheduled_functions import Scheduled

NAMESPACE = "researcher-team-a"


def job_names(stack: Stack[Any]) -> set[str]:
    """Return the names of the Jobs of team-a."""
    return {job["metadata"]["name"] for job in stack.cluster.find(JOB, NAMESPACE)}


def test_kept_job_outlives_its_ttl(stack: Stack[Any], api: Api) -> None:
    """Of two Jobs that the cluster deletes when they finish, the kept one stays until it is no longer kept."""
    kept, other = (f"keep-{secrets.token_hex(4)}" for _ in range(2))
    stack.cluster.apply(
        by_hand({"name": name}, suspend=True, ttlSecondsAfterFinished=0, backoffLimit=0) for name in (kept, other)
    )
    path = f"/jobs/team-a/{kept}"

    assert api.request("PUT", f"{path}/keep").raise_for_status().json()["keep"]
    for name in (kept, other):
        api.request("POST", f"/jobs/team-a/{name}/resume").raise_for_status()
    eventually(lambda: job_names(stack), lambda names: other not in names)
    assert api.await_status(kept)["keep"]

    released = api.request("DELETE", f"{path}/keep").raise_for_status().json()

    assert (released["keep"], kept in job_names(stack)) == (False, True)
    api.request("DELETE", path).raise_for_status()


def test_cleanup_leaves_a_kept_job(api: Api, scheduled: Scheduled) -> None:
    """A kept Job is not in the report of the cleanup until it is no longer kept."""
    name = f"keep-{secrets.token_hex(4)}"
    api.submit(name=name, ttlAfterFinish=1).raise_for_status()
    api.request("PUT", f"/jobs/team-a/{name}/keep").raise_for_status()
    api.await_status(name)

    def reported() -> bool:
        return name in {job["name"] for job in scheduled.clean_up(dry_run=True)["jobs"]}

    before = scheduled.clean_up(dry_run=True)["skipped"]
    assert not reported()
    assert before["kept"] >= 1

    api.request("DELETE", f"/jobs/team-a/{name}/keep").raise_for_status()
    eventually(reported, bool)
