"""Pods in trouble or ending slowly, as status, reason, diagnosis and logs of their Job show them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from infra.localcluster.simulation import MISSING_KEY, SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.api import Api


class Verdict(NamedTuple):
    """What the API says about a Job: its status with the reason, and the cause of its diagnosis."""

    status: str
    reason: str | None
    cause: str


def simulate(outcome: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the fields of a Job whose pod has that *outcome*."""
    return {"environment": {SIMULATE_VARIABLE: outcome}, **fields}


def get_verdict(api: Api, job: str) -> Verdict:
    """Return the verdict on *job* now."""
    view = api.job(job)
    diagnosis = api.request("GET", f"/jobs/team-a/{job}/diagnosis").raise_for_status().json()
    return Verdict(view["status"], view["reason"], diagnosis["cause"])


def await_verdict(api: Api, job: str, expected: Verdict) -> None:
    """Wait until the API says that about *job*."""
    eventually(lambda: get_verdict(api, job), lambda found: found == expected)


ENDED = {"backoffLimit": 0}
MISSING: dict[str, Any] = {"environment": {"TOKEN": {"secret": {"name": "hub", "key": MISSING_KEY}}}}
"""A key that the Secret `hub`, which the Project lists, does not have."""
SITUATIONS: list[tuple[str, dict[str, Any], Verdict]] = [
    ("rate limit", simulate("pull-rate-limit"), Verdict("Pending", "ImagePullBackOff", "ImageUnavailable")),
    ("no credentials", simulate("pull-unauthorized"), Verdict("Pending", "ImagePullBackOff", "ImageUnauthorized")),
    ("certificate", simulate("pull-certificate"), Verdict("Pending", "ImagePullBackOff", "ImageUnavailable")),
    ("secret", simulate("config-error"), Verdict("Pending", "CreateContainerConfigError", "ConfigMissing")),
    ("key", MISSING, Verdict("Pending", "CreateContainerConfigError", "ConfigMissing")),
    ("no IP address", simulate("no-ip-address"), Verdict("ContainerCreating", None, "Unknown")),
    (
        "device",
        simulate("device-error", **ENDED),
        Verdict("Failed", "UnexpectedAdmissionError", "UnschedulableResources"),
    ),
    ("init container crashes", simulate("init-crash", **ENDED), Verdict("Failed", "Error", "ExitCode")),
    ("init container runs", simulate("init-stuck"), Verdict("ContainerCreating", None, "Starting")),
    ("sidecar stays", simulate("sidecar-stays"), Verdict("Running", "SidecarRunning", "Unknown")),
    ("sidecar not pulled", simulate("sidecar-crash"), Verdict("Pending", "ImagePullBackOff", "ImageNotFound")),
    ("node lost", simulate("node-unreachable"), Verdict("Pending", "NodeLost", "NodeLost")),
    (
        "deadline over",
        simulate("ignore-sigterm", maxRuntimeSeconds=1),
        Verdict("Terminating", "DeadlineExceeded", "DeadlineExceeded"),
    ),
]


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"trouble-{secrets.token_hex(3)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


class TestVerdict:
    """Status, reason and cause agree with each other."""

    @pytest.mark.parametrize(("fields", "expected"), [pytest.param(*case, id=name) for name, *case in SITUATIONS])
    def test_of_a_situation(self, api: Api, job: str, fields: dict[str, Any], expected: Verdict) -> None:
        """The status has the reason of the pod that is in trouble, and the diagnosis names its cause."""
        api.submit(name=job, **fields).raise_for_status()

        await_verdict(api, job, expected)

    def test_suspended_and_resumed(self, api: Api, job: str) -> None:
        """The reason of a suspended Job is that its pod is still ending, and a resumed one waits for that pod."""
        api.submit(name=job, **simulate("ignore-sigterm"))
        api.await_status(job, "Running")

        api.request("POST", f"/jobs/team-a/{job}/suspend").raise_for_status()
        await_verdict(api, job, Verdict("Suspended", "PodsTerminating", "Suspended"))
        api.request("POST", f"/jobs/team-a/{job}/resume").raise_for_status()

        await_verdict(api, job, Verdict("Pending", "PodsTerminating", "Starting"))

    def test_preempted(self, api: Api, job: str) -> None:
        """A preempted Job waits for its old pod, and the Job of higher priority for the GPUs."""
        api.submit(name=job, gpu=6, preemptible=True, **simulate("ignore-sigterm"))
        api.await_status(job, "Running")

        api.submit(name=f"{job}-rival", gpu=6, **simulate("run-forever"))

        await_verdict(api, job, Verdict("Pending", "Preempted", "Preempted"))
        assert get_verdict(api, f"{job}-rival") == Verdict("Pending", "Unschedulable", "UnschedulableResources")
        api.request("DELETE", f"/jobs/team-a/{job}-rival")


class TestLogs:
    """Logs of pods with several containers, and of pods that are ending."""

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            pytest.param(simulate("init-crash", **ENDED), "$ mesh.example.com/proxy:1", id="failed init container"),
            pytest.param(simulate("sidecar-stays"), "$ nvcr.io/nvidia/pytorch", id="program beside a sidecar"),
            pytest.param(simulate("ignore-sigterm", maxRuntimeSeconds=1), "$ nvcr.io/nvidia/pytorch", id="ending pod"),
        ],
    )
    def test_default_container(self, api: Api, job: str, fields: dict[str, Any], words: str) -> None:
        """The default is the program's log, or that of the init container because of which it never started."""
        api.submit(name=job, **fields)

        response = eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}/logs"), lambda response: words in response.text
        )

        assert response.status_code == 200

    def test_lost_node(self, api: Api, job: str) -> None:
        """The log of a pod on a lost node cannot be read, and the response has the reason; other requests work."""
        api.submit(name=job, **simulate("node-unreachable"))
        await_verdict(api, job, Verdict("Pending", "NodeLost", "NodeLost"))

        responses = [api.request("GET", f"/jobs/team-a/{job}/logs") for _ in range(6)]

        assert {(each.status_code, each.json()["code"]) for each in responses} == {(503, "node_unavailable")}
        assert "stopped responding, and the cluster deletes the pod" in responses[0].json()["detail"]
        assert api.request("GET", f"/jobs/team-a/{job}").status_code == 200
