"""`make doctor` names what is wrong with a deployment, finds nothing in a good one, and changes nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.commands import doctor
from tests.support.broken_deployments import BROKEN, Broken, made
from tests.support.operator_deployment import NAME, OperatorDeployment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.local.local_stack import Stack

SECRETS = re.compile("local-external-id|k8s-aws-v1|AKIA|ASIA")


@pytest.fixture
def deployment(stack: Stack[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatorDeployment]:
    """Return a good deployment on the cluster of the module."""
    with OperatorDeployment(stack, tmp_path, monkeypatch) as deployment:
        yield deployment


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Run the command, and return its exit code and its output without the request log."""
    code = doctor.main(["--stack", NAME, *options])
    printed = capsys.readouterr()
    assert not SECRETS.search(printed.out)
    return code, "".join(line for line in printed.out.splitlines(keepends=True) if not line.startswith("{"))


def failed(output: str) -> set[str]:
    """Return the names of the checks that failed."""
    return set(re.findall(r"^FAILED +([a-z-]+):", output, re.MULTILINE))


@pytest.mark.usefixtures("deployment")
def test_nothing_is_wrong_with_a_good_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    """Each check holds, and the exit code is 0."""
    code, output = run(capsys)

    assert code == 0, output
    assert len(output.splitlines()) == output.count("ok  "), output


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_names_what_is_wrong(
    deployment: OperatorDeployment, broken: Broken, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly the checks of what is broken fail, with what was found and how to fix it."""
    with made(broken, deployment):
        code, output = run(capsys)

    assert failed(output) == broken.failed, output
    assert code == 1
    assert broken.says in output
    assert all(fix.startswith("    ") for fix in re.findall(r"^FAILED.*\n(.*)", output, re.MULTILINE)), output


@pytest.mark.parametrize(
    ("denied", "unknown"),
    [
        pytest.param("node-groups", {"nodes"}, id="node groups"),
        pytest.param("access-entries", {"access-entry"}, id="access entries"),
    ],
)
def test_what_may_not_be_read_is_unknown(
    deployment: OperatorDeployment, capsys: pytest.CaptureFixture[str], denied: str, unknown: set[str]
) -> None:
    """A check without its permission is neither a failure nor a success: the exit code is 2."""
    deployment.account.denied.add(denied)

    code, output = run(capsys)

    assert set(re.findall(r"^unknown +([a-z-]+):.*AccessDenied", output, re.MULTILINE)) == unknown, output
    assert code == 2


@pytest.mark.usefixtures("deployment")
def test_without_kubeconfig_the_rest_is_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What needs kubectl's credentials is unknown, and the rest is checked."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))

    code, output = run(capsys)

    assert code == 2
    assert re.findall(r"^unknown +([a-z-]+):", output, re.MULTILINE) == ["base-manifests"], output
    assert failed(output) == set()


def test_kubeconfig_of_another_cluster_is_not_read(
    deployment: OperatorDeployment, capsys: pytest.CaptureFixture[str]
) -> None:
    """The current context is often another cluster: its objects would be reported as missing."""
    text = deployment.kubeconfig.read_text("utf-8")
    deployment.kubeconfig.write_text(text.replace(deployment.stack.cluster.url, "https://other.example.com"), "utf-8")

    code, output = run(capsys)

    assert code == 2
    assert "https://other.example.com, which is not the cluster of the stack" in output


def test_changes_nothing(deployment: OperatorDeployment, capsys: pytest.CaptureFixture[str]) -> None:
    """All objects of the cluster that it reads have the versions that they had before."""
    paths = [
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/rolebindings",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        "/apis/batch/v1/jobs",
    ]

    def versions() -> list[list[str]]:
        return [
            sorted(
                each["metadata"]["uid"] + each["metadata"]["resourceVersion"]
                for each in deployment.admin.get(path)["items"]
            )
            for path in paths
        ]

    before = versions()
    assert run(capsys)[0] == 0
    assert versions() == before
