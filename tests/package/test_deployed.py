"""The packaged product at work: each function is a process with the zip only, and with its own permissions enforced.

On the embedded cluster or, with CLUSTER=real, on the real one, whose API server verifies every EKS token.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from tests.package.packaged_template import FUNCTIONS, Json, grants, logical
from tests.support.api import Api
from tests.support.documentation import Step, clone_into, paste_all, steps, surprises
from tests.support.eventually import eventually
from tests.support.job_requests import NEED_THE_JOB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployed.deployed import Deployed

UID = "7c1f3c86-3b1e-4f0a-9a43-3d2b7f1e0c11"
USED_BY_LAMBDA = {"logs:", "xray:", "ec2:", "sqs:"}
"""Permissions that Lambda itself uses, for logs, traces, network interfaces and failed events.

No call of the functions uses them.
"""


@pytest.fixture(scope="module")
def outputs(deployed: Deployed[Any], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Run the commands of the documentation, and return the output of each block."""
    folder = tmp_path_factory.mktemp("clone")
    clone_into(folder)
    session = folder / ".local" / "session.env"
    session.parent.mkdir()
    session.write_text("".join(f"export {name}={value}\n" for name, value in deployed.session().items()))
    return paste_all(folder)


@pytest.fixture
def api(deployed: Deployed[Any]) -> Iterator[Api]:
    """Return a client with alice's token."""
    with Api(deployed) as api:
        yield api


class TestWalk:
    """The commands of the documentation against the deployed functions."""

    @pytest.mark.parametrize(("number", "step"), list(enumerate(steps())), ids=str)
    def test_output_is_as_documented(self, outputs: list[str], number: int, step: Step) -> None:
        """The output of each block contains the documents below it."""
        assert surprises(step, outputs[number]) == []

    def test_permissions_are_minimal(
        self, outputs: list[str], deployed: Deployed[Any], packaged: Json, api: Api
    ) -> None:
        """IAM has denied no call, and every permission of a function has been used.

        Every operation on a Job looks for the Receipt of one that is missing.
        """
        assert outputs
        for request in NEED_THE_JOB:
            body: dict[str, str] | None = {} if "/clone" in request else None
            missing = api.request(*request.format(path="/jobs/team-a/missing", uid=UID).split(), json=body)
            assert missing.status_code == 404, request
        api.request("DELETE", "/jobs", json=[{"project": "team-a", "name": "missing"}]).raise_for_status()
        checks: Any = deployed.functions.invoke(logical("self_check"), {"groups": ["researcher:team-a"]})
        assert [(each["name"], each["outcome"]) for each in checks if each["outcome"] != "ok"] == []
        used = {(call.role, call.action) for call in deployed.iam.calls}
        granted = {
            (f"{logical(name)}Role", action)
            for name in FUNCTIONS
            for action, _ in grants(packaged, name)
            if not action.startswith(tuple(USED_BY_LAMBDA))
        }

        assert deployed.iam.denied() == []
        assert sorted(granted - used) == []
        assert sorted(used - granted) == []


def run_cleanup(deployed: Deployed[Any]) -> list[dict[str, Any]]:
    """Return Project and name of each Job that one scheduled run has deleted."""
    (report,) = deployed.fire("CleanupRule")
    assert isinstance(report, dict)
    return [{"project": job["project"], "name": job["name"]} for job in report["jobs"]]


class TestSchedule:
    """The rules of EventBridge."""

    def test_cleanup(self, deployed: Deployed[Any], api: Api) -> None:
        """The rule in the template invokes the packaged function, which deletes a Job with an expired retention."""
        api.submit(name="scheduled", maxRuntimeSeconds=1, ttlAfterFinish=1).raise_for_status()
        api.request("GET", "/jobs/team-a/scheduled?wait=20&until=finished").raise_for_status()

        eventually(lambda: {"project": "team-a", "name": "scheduled"} in run_cleanup(deployed))

        response = eventually(lambda: api.request("GET", "/jobs/team-a/scheduled"), lambda response: response.is_error)
        assert response.json()["code"] == "job_cleaned_up"


class TestPermissions:
    """The roles of the functions."""

    def test_are_enforced(self, deployed: Deployed[Any], api: Api) -> None:
        """A function whose role has no permissions cannot reach the cluster."""
        role = f"{logical('list_jobs')}Role"
        policy = deployed.iam.policies[role]
        before = list(deployed.iam.calls)
        deployed.lambdas.forget()
        deployed.iam.policies[role] = []

        response = api.request("GET", "/jobs/team-a")

        deployed.iam.policies[role] = policy
        deployed.iam.calls[:] = before
        deployed.lambdas.forget()
        assert (response.status_code, response.json()["code"]) == (503, "credentials_unavailable")
        assert api.request("GET", "/jobs/team-a").status_code == 200


class TestFailures:
    """A function that fails in a way that its code cannot handle."""

    def test_out_of_memory(self, deployed: Deployed[Any], api: Api) -> None:
        """An out-of-memory failure is 502 as problem details, and the other functions still work."""
        function = deployed.lambdas.functions["ListJobs"]
        deployed.lambdas.forget()
        deployed.lambdas.deploy(dataclasses.replace(function, memory=16))

        response = api.request("GET", "/jobs/team-a")

        deployed.lambdas.deploy(function)
        problem = response.json()
        assert (response.status_code, problem["code"]) == (502, "bad_gateway")
        assert response.headers["Content-Type"] == "application/problem+json"
        assert problem["instance"] == f"urn:researcher:request:{response.headers['X-Request-Id']}"
        assert [api.request("GET", path).status_code for path in ("/projects", "/health", "/jobs/team-a")] == [200] * 3
