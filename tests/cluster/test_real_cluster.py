"""The control plane as the cluster of the local cloud, and the product's requests in its audit log."""

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
    """Start the local cloud on a control plane of its own."""
    del assets  # fails the test if the binaries are missing
    with Stack(RealCluster) as stack:
        yield stack


class TestAudit:
    """The API server's audit log."""

    def test_names_role_session_and_caller(self, stack: Stack[RealCluster]) -> None:
        """The line of a creation has the role, its session, and the caller."""
        with Api(stack) as alice:
            alice.submit()

        line = eventually(lambda: [each for each in stack.cluster.plane.audit_lines() if _creates_job(each)], bool)[0]
        assert line["user"]["username"] == "researcher-api:local"
        assert line["user"]["extra"]["canonicalArn"] == [ROLE]
        assert line["user"]["extra"]["sessionName"] == ["local"]
        assert line["impersonatedUser"]["extra"]["subject"] == ["researcher:alice"]
        assert line["impersonatedUser"]["groups"] == ["researcher:team-a", "system:authenticated"]

    def test_requests_without_impersonation(self, stack: Stack[RealCluster]) -> None:
        """Without impersonation, the product only lists Projects and reads its own permissions."""
        with Api(stack) as alice:
            for path in ("/projects", "/jobs/team-a", "/jobs/team-b", "/health?deep=true"):
                alice.request("GET", path)

        own = [line for line in stack.cluster.plane.audit_lines() if _is_ours(line) and "impersonatedUser" not in line]
        verbs = {(line["verb"], line["objectRef"]["resource"]) for line in own}
        assert verbs == {("create", "selfsubjectrulesreviews"), ("list", "namespaces")}


class TestKubectl:
    """kubectl on the same cluster."""

    def test_applies_the_manifests(self, stack: Stack[RealCluster], assets: Path) -> None:
        """The base and the manifests of a Project can be applied, and applying them again changes nothing."""
        manifests = subprocess.run(
            [sys.executable, "-m", "infra.kubernetes.project", "team-k", "--submitters", "team-a"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

        run_kubectl(stack, assets, "apply", "--kustomize", str(BASE))
        run_kubectl(stack, assets, "apply", "-f", "-", text=manifests)
        again = run_kubectl(stack, assets, "apply", "-f", "-", text=manifests)

        assert [line for line in again.splitlines() if not line.endswith(" unchanged")] == []
        with Api(stack) as alice:
            eventually(lambda: alice.submit("team-k").status_code, lambda status: status == 201)


def run_kubectl(stack: Stack[RealCluster], assets: Path, *arguments: str, text: str = "") -> str:
    """Run kubectl as an administrator with *text* as its standard input, and return its output."""
    command = [str(assets / "kubectl"), "--kubeconfig", str(stack.cluster.plane.admin_kubeconfig), *arguments]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def _is_ours(line: dict[str, Any]) -> bool:
    return bool(line["user"].get("username", "").startswith("researcher-api:"))


def _creates_job(line: dict[str, Any]) -> bool:
    return bool(line["verb"] == "create" and line.get("objectRef", {}).get("resource") == "jobs")
