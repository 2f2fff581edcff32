"""The packaged product at work: each function a process with nothing but the zip, its own rights enforced.

On the embedded cluster or, with CLUSTER=real, on the real one, whose API server has every EKS token checked.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from tests.package.reading import FUNCTIONS, Json, grants, logical
from tests.support.api import Api
from tests.support.documentation import Step, clone_into, pasted, steps, surprises
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployed.deployed import Deployed

BY_LAMBDA = {"logs:", "xray:", "ec2:", "sqs:"}
"""Grants that Lambda itself uses, for a function's logs, traces, network interfaces and failed events; no call of ours
shows them."""


@pytest.fixture(scope="module")
def answers(deployed: Deployed[Any], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block of the documentation prints."""
    folder = tmp_path_factory.mktemp("clone")
    clone_into(folder)
    session = folder / ".local" / "session.env"
    session.parent.mkdir()
    session.write_text("".join(f"export {name}={value}\n" for name, value in deployed.session().items()))
    return pasted(folder)


@pytest.fixture
def api(deployed: Deployed[Any]) -> Iterator[Api]:
    """Alice."""
    with Api(deployed) as api:
        yield api


class TestWalk:
    """The documentation, pasted into a shell, with the deployed functions at its other end."""

    @pytest.mark.parametrize(("number", "step"), list(enumerate(steps())), ids=str)
    def test_prints_what_is_shown(self, answers: list[str], number: int, step: Step) -> None:
        """As from the sources."""
        assert surprises(step, answers[number]) == []

    def test_needs_every_grant_and_no_other(self, answers: list[str], deployed: Deployed[Any], packaged: Json) -> None:
        """No call was refused by IAM, and each function that has a right has used it."""
        assert answers
        used = {(call.role, call.action) for call in deployed.iam.calls}
        granted = {
            (f"{logical(name)}Role", action)
            for name in FUNCTIONS
            for action, _ in grants(packaged, name)
            if not action.startswith(tuple(BY_LAMBDA))
        }

        assert deployed.iam.denied() == []
        assert sorted(granted - used) == []
        assert sorted(used - granted) == []


def cleaned_up(deployed: Deployed[Any]) -> list[dict[str, Any]]:
    """Project and name of each Job that one run of the schedule has deleted."""
    (report,) = deployed.fire("CleanupRule")
    assert isinstance(report, dict)
    return [{"project": job["project"], "name": job["name"]} for job in report["jobs"]]


class TestSchedule:
    """What EventBridge calls."""

    def test_cleans_up(self, deployed: Deployed[Any], api: Api) -> None:
        """By the rule of the template, the function of the zip: a Job that is past its retention goes."""
        api.submit(name="scheduled", maxRuntimeSeconds=1, ttlAfterFinish=1).raise_for_status()
        api.ask("GET", "/jobs/team-a/scheduled?wait=20&until=finished").raise_for_status()

        eventually(lambda: {"project": "team-a", "name": "scheduled"} in cleaned_up(deployed))

        answer = eventually(lambda: api.ask("GET", "/jobs/team-a/scheduled"), lambda answer: answer.is_error)
        assert answer.json()["code"] == "job_cleaned_up"


class TestRights:
    """The roles of the functions."""

    def test_are_enforced(self, deployed: Deployed[Any], api: Api) -> None:
        """A function whose role lost its grant reaches no cluster: the walk proves something."""
        role = f"{logical('list_jobs')}Role"
        policy = deployed.iam.policies[role]
        before = list(deployed.iam.calls)
        deployed.lambdas.forget()
        deployed.iam.policies[role] = []

        answer = api.ask("GET", "/jobs/team-a")

        deployed.iam.policies[role] = policy
        deployed.iam.calls[:] = before
        deployed.lambdas.forget()
        assert (answer.status_code, answer.json()["code"]) == (503, "credentials_unavailable")
        assert api.ask("GET", "/jobs/team-a").status_code == 200


class TestFailures:
    """One function that fails, in a way that none of our code can answer for."""

    def test_out_of_memory(self, deployed: Deployed[Any], api: Api) -> None:
        """Lambda ends what needs more than it was given; API Gateway says so in our words, and the others answer."""
        function = deployed.lambdas.functions["ListJobs"]
        deployed.lambdas.forget()
        deployed.lambdas.deploy(dataclasses.replace(function, memory=16))

        answer = api.ask("GET", "/jobs/team-a")

        deployed.lambdas.deploy(function)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (502, "bad_gateway")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert problem["instance"] == f"urn:researcher:request:{answer.headers['X-Request-Id']}"
        assert [api.ask("GET", path).status_code for path in ("/projects", "/health", "/jobs/team-a")] == [200] * 3
