"""Cleanup on a cluster: the Jobs that it deletes, the Jobs that it keeps, and the Receipts."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.functions.openapi import DOCUMENT
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually
from tests.support.job_requests import NEED_THE_JOB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api
    from tests.support.scheduled_functions import Scheduled

CANARY = "hunter2-the-canary"
SHORT_RETENTION: dict[str, Any] = {"ttlAfterFinish": 1}
NAMESPACE = "researcher-team-a"


@pytest.fixture
def name() -> str:
    """Return a unique Job name."""
    return f"clean-{secrets.token_hex(4)}"


def await_expiry(api: Api, scheduled: Scheduled, *names: str) -> None:
    """Wait until the Jobs have ended and their retention of a second is over, according to a dry run."""
    for name in names:
        api.await_status(name)
    eventually(lambda: job_names(scheduled.clean_up(dry_run=True)), set(names).issubset)


def job_names(report: dict[str, Any]) -> set[str]:
    """Return the names of the Jobs in a cleanup report."""
    return {job["name"] for job in report["jobs"]}


class TestDeleted:
    """A finished Job whose retention is over."""

    def test_pods_are_deleted_and_receipts_stored(
        self, stack: Stack, api: Api, scheduled: Scheduled, name: str
    ) -> None:
        """The pods are deleted too, and two Receipts without secrets are stored: one by date, one by name."""
        secret: dict[str, Any] = {
            "environment": {"PASSWORD": CANARY, "SIMULATE_LOG": "done"},
            "command": f"train {CANARY}",
            "arguments": [CANARY],
        }
        uid = api.submit(name=name, gpu=2, **SHORT_RETENTION, **secret).json()["id"]
        await_expiry(api, scheduled, name)

        report = scheduled.clean_up()

        (dated, receipt), (newest, latest) = scheduled.receipts(name)
        assert name in job_names(report)
        assert dated.endswith(f"/{name}-{uid}.json")
        assert (newest, latest) == (f"receipts/team-a/latest/{name}.json", receipt)
        assert (receipt["outcome"], receipt["attempts"], receipt["nodes"]) == ("Succeeded", 1, ["gpu-node-0"])
        assert receipt["imageDigests"][0].startswith("nvcr.io/nvidia/pytorch@sha256:")
        assert (receipt["gpuSeconds"] >= 0, receipt["gpuSecondsIsLowerBound"]) == (True, False)
        assert receipt["submission"]["environment"] == {"PASSWORD": "***", "SIMULATE_LOG": "***"}
        assert CANARY not in json.dumps(receipt)
        eventually(lambda: _objects_of(name, stack.cluster.find(POD, NAMESPACE)), _is_empty)

    def test_every_operation_returns_410_with_the_outcome(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """Every operation that needs the Job says that it was cleaned up, with its outcome and reason."""
        api.submit(name=name, backoffLimit=0, environment={SIMULATE_VARIABLE: "OOMKilled"}, **SHORT_RETENTION)
        uid = api.job(name)["id"]
        await_expiry(api, scheduled, name)
        scheduled.clean_up()
        path = f"/jobs/team-a/{name}"
        eventually(lambda: api.request("GET", path).status_code, lambda status: status != 200)

        problems = {
            request: api.request(*request.split(), json={} if "/clone" in request else None).json()
            for request in (each.format(path=path, uid=uid) for each in NEED_THE_JOB)
        }
        (listed,) = api.request("DELETE", "/jobs", json=[{"project": "team-a", "name": name}]).json()["data"]

        for request, problem in [*problems.items(), ("DELETE /jobs", listed["error"])]:
            assert (problem["status"], problem["code"]) == (410, "job_cleaned_up"), request
            assert (problem["receipt"]["outcome"], problem["receipt"]["reason"]) == ("Failed", "OOMKilled"), request

    def test_table_has_every_operation(self) -> None:
        """Every operation on a Job that exists is in the table above."""
        paths = json.loads(DOCUMENT.read_text("utf-8"))["paths"]
        of_a_job = {(method.upper(), path) for path in paths if "{name}" in path for method in paths[path]}
        listed = (each.partition("?")[0].split() for each in NEED_THE_JOB)

        assert of_a_job == {(method, path.format(path="/jobs/{project}/{name}")) for method, path in listed}

    def test_retention_of_the_project(self, stack: Stack, api: Api, scheduled: Scheduled, name: str) -> None:
        """The retention annotation of the namespace applies to Jobs that set no retention."""
        metadata = {
            "name": "researcher-team-shared",
            "labels": {"researcher.dev/project": "team-shared"},
            "annotations": {"researcher.dev/retention": "1s"},
        }
        stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
        api.submit("team-shared", name=name)
        api.await_status(name, project="team-shared")

        eventually(lambda: job_names(scheduled.clean_up()), lambda found: name in found)

    def test_name_can_be_used_again(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """A new Job may use the name of a deleted one; its Receipt then replaces the latest one by name."""
        for _ in range(2):
            eventually(lambda: api.submit(name=name, **SHORT_RETENTION).status_code, lambda status: status == 201)
            await_expiry(api, scheduled, name)
            scheduled.clean_up()

        uids = [receipt["id"] for key, receipt in scheduled.receipts(name) if "/latest/" not in key]
        ((_, newest),) = [each for each in scheduled.receipts(name) if "/latest/" in each[0]]
        assert len(set(uids)) == 2
        assert newest["createdAt"] == max(receipt["createdAt"] for _, receipt in scheduled.receipts(name))


def _objects_of(name: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in found if name in each["metadata"]["name"]]


def _is_empty(found: list[dict[str, Any]]) -> bool:
    return not found


class TestKept:
    """Jobs that the cleanup does not delete."""

    @pytest.fixture
    def others(self, stack: Stack, api: Api, scheduled: Scheduled, name: str) -> Iterator[dict[str, str]]:
        """Create one Job for each reason to keep it, with an expired retention; yield their names by reason."""
        names = {kind: f"{name}-{kind}" for kind in ("running", "suspended", "young", "foreign", "kept")}
        api.submit(name=names["running"], environment={SIMULATE_VARIABLE: "run-forever"}, **SHORT_RETENTION)
        api.submit(name=names["young"])
        api.submit(name=names["kept"], **SHORT_RETENTION)
        retention = {"annotations": {"researcher.dev/retention": "1"}}
        managed = {"labels": {"app.kubernetes.io/managed-by": "researcher-api"}}
        stack.cluster.apply([by_hand({"name": names["suspended"], **retention, **managed}, suspend=True)])
        stack.cluster.apply([by_hand({"name": names["foreign"], **retention})])
        api.await_status(names["young"])
        api.await_status(names["foreign"])
        await_expiry(api, scheduled, names["kept"])
        stack.cluster.apply([_keep_patch(names["kept"])])
        yield names
        for each in names.values():
            api.request("DELETE", f"/jobs/team-a/{each}")

    def test_kept_jobs_do_not_change(
        self, stack: Stack, api: Api, scheduled: Scheduled, name: str, others: dict[str, str]
    ) -> None:
        """A run that deletes another Job leaves these as they were."""
        api.submit(name=name, **SHORT_RETENTION)
        await_expiry(api, scheduled, name)
        before = _uids(stack, others)

        report = scheduled.clean_up()

        assert name in job_names(report)
        assert not job_names(report) & set(others.values())
        assert _uids(stack, others) == before

    @pytest.mark.usefixtures("others")
    def test_skipped_jobs_are_counted(self, scheduled: Scheduled) -> None:
        """The report counts the skipped Jobs by reason."""
        skipped = scheduled.clean_up()["skipped"]

        assert {"notFinished", "young", "foreign", "kept"} <= skipped.keys()
        assert skipped["notFinished"] >= 2

    def test_dry_run(self, stack: Stack, api: Api, scheduled: Scheduled, name: str) -> None:
        """A dry run reports what the next run deletes, and stores and deletes nothing."""
        api.submit(name=name, **SHORT_RETENTION)
        await_expiry(api, scheduled, name)
        before = _uids(stack, {"": name})

        planned = scheduled.clean_up(dry_run=True)

        assert (planned["deleted"], scheduled.receipts(name), _uids(stack, {"": name})) == (0, [], before)
        assert name in job_names(planned)
        assert job_names(scheduled.clean_up()) == job_names(planned)


class TestRuns:
    """Repeated and concurrent runs."""

    def test_concurrent_runs_delete_each_job_once(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """Two concurrent runs delete every Job once and store its Receipts once; a later run deletes nothing."""
        names = {f"{name}-{number}" for number in range(24)}
        for each in names:
            api.submit(name=each, **SHORT_RETENTION)
        await_expiry(api, scheduled, *names)

        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda _: scheduled.clean_up(), range(2)))

        assert sum(report["deleted"] for report in reports) == 24
        assert sum(report["failed"] for report in reports) == 0
        assert set().union(*map(job_names, reports)) == names
        assert len(scheduled.receipts(name)) == 2 * 24
        assert scheduled.clean_up()["deleted"] == 0

    def test_project_without_role_binding_does_not_stop_the_others(
        self, stack: Stack, api: Api, scheduled: Scheduled, name: str
    ) -> None:
        """A Project without the janitor's RoleBinding is reported as a failure; the others are cleaned up."""
        metadata = {"name": "researcher-closed", "labels": {"researcher.dev/project": "closed"}}
        stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
        api.submit(name=name, **SHORT_RETENTION)
        await_expiry(api, scheduled, name)

        report = scheduled.clean_up()

        assert {"project": "closed", "name": None, "code": "forbidden"} in report["failures"]
        assert name in job_names(report)


def _keep_patch(name: str) -> dict[str, Any]:
    """Return a patch with the label that keeps the Job of that name."""
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"researcher.dev/keep": "true"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}


def _uids(stack: Stack, names: dict[str, str]) -> dict[str, str]:
    """Return the uid by name of the existing Jobs among *names*."""
    found = stack.cluster.find(JOB, NAMESPACE)
    uids = {each["metadata"]["name"]: str(each["metadata"]["uid"]) for each in found}
    return {name: uids[name] for name in names.values()}
