"""Cleanup on a cluster: what goes, what stays, and what is kept of what went."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.kinds import JOB, POD
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api
    from tests.support.scheduled_functions import Scheduled

CANARY = "hunter2-the-canary"
BRIEF: dict[str, Any] = {"ttlAfterFinish": 1}
NAMESPACE = "researcher-team-a"


@pytest.fixture
def name() -> str:
    """A name of the test's own."""
    return f"clean-{secrets.token_hex(4)}"


def past(api: Api, scheduled: Scheduled, *names: str) -> None:
    """Waits until the Jobs have ended and their retention of a second is over, as a dry run of the cleanup tells."""
    for name in names:
        api.await_status(name)
    eventually(lambda: shown(scheduled.clean_up(dry_run=True)), set(names).issubset)


def shown(report: dict[str, Any]) -> set[str]:
    """The names of the Jobs that went, or would go."""
    return {job["name"] for job in report["jobs"]}


class TestGoes:
    """A finished Job whose retention is over."""

    def test_with_its_pods_and_leaves_a_receipt(self, stack: Stack, api: Api, scheduled: Scheduled, name: str) -> None:
        """By its day, and by its name; without a secret."""
        secret: dict[str, Any] = {
            "environment": {"PASSWORD": CANARY, "SIMULATE_LOG": "done"},
            "command": f"train {CANARY}",
            "arguments": [CANARY],
        }
        uid = api.submit(name=name, gpu=2, **BRIEF, **secret).json()["id"]
        past(api, scheduled, name)

        report = scheduled.clean_up()

        (dated, receipt), (newest, again) = scheduled.receipts(name)
        assert name in shown(report)
        assert dated.endswith(f"/{name}-{uid}.json")
        assert (newest, again) == (f"receipts/team-a/latest/{name}.json", receipt)
        assert (receipt["outcome"], receipt["attempts"], receipt["nodes"]) == ("Succeeded", 1, ["gpu-node-0"])
        assert receipt["imageDigests"][0].startswith("nvcr.io/nvidia/pytorch@sha256:")
        assert receipt["gpuSecondsFrom"] == "pods"
        assert receipt["submission"]["environment"] == {"PASSWORD": "***", "SIMULATE_LOG": "***"}
        assert CANARY not in json.dumps(receipt)
        eventually(lambda: _named(name, stack.cluster.find(POD, NAMESPACE)), _empty)

    def test_and_is_told_of_with_410(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """To whoever may look into the Project; a Job that failed says why."""
        api.submit(name=name, backoffLimit=0, environment={SIMULATE_VARIABLE: "OOMKilled"}, **BRIEF)
        past(api, scheduled, name)
        scheduled.clean_up()

        answer = eventually(lambda: api.ask("GET", f"/jobs/team-a/{name}"), lambda answer: answer.status_code != 200)

        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (410, "job_cleaned_up")
        assert (problem["receipt"]["outcome"], problem["receipt"]["reason"]) == ("Failed", "OOMKilled")

    def test_when_its_project_says_so(self, stack: Stack, api: Api, scheduled: Scheduled, name: str) -> None:
        """By an annotation of its namespace, for Jobs that did not ask."""
        metadata = {
            "name": "researcher-team-shared",
            "labels": {"researcher.dev/project": "team-shared"},
            "annotations": {"researcher.dev/retention": "1s"},
        }
        stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
        api.submit("team-shared", name=name)
        api.await_status(name, project="team-shared")

        eventually(lambda: shown(scheduled.clean_up()), lambda found: name in found)

    def test_and_its_name_is_free(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """A new Job is shown, and when it goes, its Receipt is the newest of two."""
        for _ in range(2):
            eventually(lambda: api.submit(name=name, **BRIEF).status_code, lambda status: status == 201)
            past(api, scheduled, name)
            scheduled.clean_up()

        uids = [receipt["id"] for key, receipt in scheduled.receipts(name) if "/latest/" not in key]
        ((_, newest),) = [one for one in scheduled.receipts(name) if "/latest/" in one[0]]
        assert len(set(uids)) == 2
        assert newest["createdAt"] == max(receipt["createdAt"] for _, receipt in scheduled.receipts(name))


def _named(name: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if name in one["metadata"]["name"]]


def _empty(found: list[dict[str, Any]]) -> bool:
    return not found


class TestStays:
    """What no run touches."""

    @pytest.fixture
    def others(self, stack: Stack, api: Api, scheduled: Scheduled, name: str) -> Iterator[dict[str, str]]:
        """Jobs that stay, by the reason why, each with a retention of a second that is over."""
        names = {kind: f"{name}-{kind}" for kind in ("running", "suspended", "young", "foreign", "kept")}
        api.submit(name=names["running"], environment={SIMULATE_VARIABLE: "run-forever"}, **BRIEF)
        api.submit(name=names["young"])
        api.submit(name=names["kept"], **BRIEF)
        brief = {"annotations": {"researcher.dev/retention": "1"}}
        ours = {"labels": {"app.kubernetes.io/managed-by": "researcher-api"}}
        stack.cluster.apply([by_hand({"name": names["suspended"], **brief, **ours}, suspend=True)])
        stack.cluster.apply([by_hand({"name": names["foreign"], **brief})])
        api.await_status(names["young"])
        api.await_status(names["foreign"])
        past(api, scheduled, names["kept"])
        stack.cluster.apply([_marked(names["kept"])])
        yield names
        for one in names.values():
            api.ask("DELETE", f"/jobs/team-a/{one}")

    def test_whatever_has_a_reason(
        self, stack: Stack, api: Api, scheduled: Scheduled, name: str, others: dict[str, str]
    ) -> None:
        """Beside one that goes; each is there afterwards as it was."""
        api.submit(name=name, **BRIEF)
        past(api, scheduled, name)
        before = _versions(stack, others)

        report = scheduled.clean_up()

        assert name in shown(report)
        assert not shown(report) & set(others.values())
        assert _versions(stack, others) == before

    @pytest.mark.usefixtures("others")
    def test_and_each_is_counted(self, scheduled: Scheduled) -> None:
        """By its reason."""
        skipped = scheduled.clean_up()["skipped"]

        assert {"notFinished", "young", "foreign", "kept"} <= skipped.keys()
        assert skipped["notFinished"] >= 2

    def test_everything_in_a_dry_run(self, stack: Stack, api: Api, scheduled: Scheduled, name: str) -> None:
        """It tells what the next run then does, and stores nothing."""
        api.submit(name=name, **BRIEF)
        past(api, scheduled, name)
        before = _versions(stack, {"": name})

        planned = scheduled.clean_up(dry_run=True)

        assert (planned["deleted"], scheduled.receipts(name), _versions(stack, {"": name})) == (0, [], before)
        assert name in shown(planned)
        assert shown(scheduled.clean_up()) == shown(planned)


class TestRuns:
    """Runs, one after the other and at once."""

    def test_two_at_once_delete_each_job_once(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """Together all of them, with one Receipt each; a later one finds nothing."""
        names = {f"{name}-{number}" for number in range(24)}
        for one in names:
            api.submit(name=one, **BRIEF)
        past(api, scheduled, *names)

        with ThreadPoolExecutor(2) as both:
            reports = list(both.map(lambda _: scheduled.clean_up(), range(2)))

        assert sum(report["deleted"] for report in reports) == 24
        assert sum(report["failed"] for report in reports) == 0
        assert set().union(*map(shown, reports)) == names
        assert len(scheduled.receipts(name)) == 2 * 24
        assert scheduled.clean_up()["deleted"] == 0

    def test_project_that_lets_nobody_in_stops_no_other(
        self, stack: Stack, api: Api, scheduled: Scheduled, name: str
    ) -> None:
        """It is a namespace with a Project's label, and without the janitor's RoleBinding."""
        metadata = {"name": "researcher-closed", "labels": {"researcher.dev/project": "closed"}}
        stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
        api.submit(name=name, **BRIEF)
        past(api, scheduled, name)

        report = scheduled.clean_up()

        assert {"project": "closed", "name": None, "code": "forbidden"} in report["failures"]
        assert name in shown(report)


def _marked(name: str) -> dict[str, Any]:
    """The label that keeps the Job of that name."""
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"researcher.dev/keep": "true"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}


def _versions(stack: Stack, names: dict[str, str]) -> dict[str, str]:
    """Uid by name of those of *names* that are there."""
    found = stack.cluster.find(JOB, NAMESPACE)
    there = {one["metadata"]["name"]: str(one["metadata"]["uid"]) for one in found}
    return {name: there[name] for name in names.values()}
