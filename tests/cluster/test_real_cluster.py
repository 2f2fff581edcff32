"""The control plane as the local cloud's cluster, and what its audit log tells of the product's calls."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import BASE
from infra.local.local_stack import Stack
from tests.cluster.real_cluster import RealCluster
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/researcher-api"


@pytest.fixture(scope="module")
def stack(assets: object) -> Iterator[Stack[RealCluster]]:
    """The local cloud on a control plane of its own."""
    del assets  # must be there
    with Stack(RealCluster) as stack:
        yield stack


class TestAudit:
    """The API server's audit log."""

    def test_names_role_session_and_caller(self, stack: Stack[RealCluster]) -> None:
        """Who made a Job can be told from the cluster alone: the role, its session, and the caller behind both."""
        with Api(stack) as alice:
            alice.submit()

        line = eventually(lambda: [one for one in stack.cluster.plane.audit_lines() if _makes_a_job(one)], bool)[0]
        assert line["user"]["username"] == "researcher-api:local"
        assert line["user"]["extra"]["canonicalArn"] == [ROLE]
        assert line["user"]["extra"]["sessionName"] == ["local"]
        assert line["impersonatedUser"]["extra"]["subject"] == ["researcher:alice"]
        assert line["impersonatedUser"]["groups"] == ["researcher:team-a", "system:authenticated"]

    def test_knows_every_call_as_somebodys(self, stack: Stack[RealCluster]) -> None:
        """As itself the product reads nothing but Projects and its own rights."""
        with Api(stack) as alice:
            for path in ("/projects", "/jobs/team-a", "/jobs/team-b", "/health?deep=true"):
                alice.ask("GET", path)

        own = [one for one in stack.cluster.plane.audit_lines() if _is_ours(one) and "impersonatedUser" not in one]
        asked = {(one["verb"], one["objectRef"]["resource"]) for one in own}
        assert asked == {("create", "selfsubjectrulesreviews"), ("list", "namespaces")}


class TestKubectl:
    """kubectl beside the API, on the same cluster."""

    def test_it_applies_what_platform_engineers_apply(self, stack: Stack[RealCluster], assets: Path) -> None:
        """The base as it stands, and a Project as it is printed; a second time, nothing changes."""
        printed = subprocess.run(
            [sys.executable, "-m", "infra.kubernetes.project", "team-k", "--submitters", "team-a"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

        run_kubectl(stack, assets, "apply", "--kustomize", str(BASE))
        run_kubectl(stack, assets, "apply", "-f", "-", text=printed)
        again = run_kubectl(stack, assets, "apply", "-f", "-", text=printed)

        assert [line for line in again.splitlines() if not line.endswith(" unchanged")] == []
        with Api(stack) as alice:
            eventually(lambda: alice.submit("team-k").status_code, lambda status: status == 201)


def run_kubectl(stack: Stack[RealCluster], assets: Path, *arguments: str, text: str = "") -> str:
    """What kubectl says to *arguments*, as an administrator, with *text* on its standard input."""
    command = [str(assets / "kubectl"), "--kubeconfig", str(stack.cluster.plane.admin_kubeconfig), *arguments]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def _is_ours(line: dict[str, Any]) -> bool:
    return bool(line["user"].get("username", "").startswith("researcher-api:"))


def _makes_a_job(line: dict[str, Any]) -> bool:
    return bool(line["verb"] == "create" and line.get("objectRef", {}).get("resource") == "jobs")
