"""What a pod's log says, how much of it is given out, and the words of those who have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.localcluster.log_content import LOG_VARIABLE
from tests.support.eventually import eventually
from tests.support.namespace import job, outcome_of

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import TestNamespace

LINES = ["first", "second, with ä", "third"]


def printing(name: str, simulate: str = "run-forever", *containers: str) -> Document:
    """A Job whose pods print LINES, in a container `main` and in others."""
    manifest = job(name, simulate, gpus=0)
    (main,) = manifest["spec"]["template"]["spec"]["containers"]
    main["env"] = [{"name": LOG_VARIABLE, "value": "\n".join(LINES)}]
    manifest["spec"]["template"]["spec"]["containers"] += [{"name": one, "image": "image:1"} for one in containers]
    return manifest


def running(space: TestNamespace, manifest: Document) -> str:
    """Where the log is of the pod of a new Job that runs."""
    space.submit(manifest)
    (pod,) = space.await_pods(manifest["metadata"]["name"], phase="Running")
    return f"{space.pods}/{pod['metadata']['name']}/log"


def text(space: TestNamespace, path: str) -> str:
    """The log at *path*."""
    return space.client.text(path)


class TestAmount:
    """How much of a log is given out."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            pytest.param("", LINES, id="all"),
            pytest.param("?tailLines=2", LINES[1:], id="the last lines"),
            pytest.param("?tailLines=0", [], id="no lines"),
            pytest.param("?tailLines=9", LINES, id="more lines than there are"),
            pytest.param("?sinceSeconds=600", LINES, id="since before the start"),
            pytest.param("?container=main", LINES, id="by the container's name"),
        ],
    )
    def test_whole_lines(self, space: TestNamespace, query: str, expected: list[str]) -> None:
        """The lines that the container printed, in their order."""
        path = running(space, printing("talks"))

        assert "".join(f"{line}\n" for line in expected) == text(space, path + query)

    def test_first_bytes_of_the_last_lines(self, space: TestNamespace) -> None:
        """A limit in bytes cuts off the end, not the beginning."""
        path = running(space, printing("talks"))

        assert text(space, f"{path}?tailLines=2&limitBytes=6") == "second"

    def test_timestamps(self, space: TestNamespace) -> None:
        """Each line begins with its time, in nanoseconds."""
        path = running(space, printing("talks"))

        (line,) = text(space, f"{path}?tailLines=1&timestamps=true").splitlines()
        time, _, rest = line.partition(" ")
        assert (len(time), time[-1], rest) == (len("2026-01-01T00:00:00.000000000Z"), "Z", "third")

    def test_old_lines_are_left_out(self, space: TestNamespace) -> None:
        """A pod that printed all at its start has no new lines after a while."""
        path = running(space, printing("talks"))

        eventually(lambda: text(space, f"{path}?sinceSeconds=1"), lambda found: not found)


class TestAttempts:
    """Which run of a container."""

    def test_a_pod_that_ended_keeps_its_log(self, space: TestNamespace) -> None:
        """As long as it stays."""
        space.submit(printing("over", "exit-1"))
        (pod,) = eventually(
            lambda: [one for one in space.pods_of("over") if one["status"]["phase"] == "Failed"][:1],
            lambda pods: pods != [],
        )

        assert text(space, f"{space.pods}/{pod['metadata']['name']}/log?tailLines=1") == "third\n"

    def test_before_the_restart(self, space: TestNamespace) -> None:
        """A container that was started again has two logs."""
        path = running(space, printing("again", "restarted"))

        assert text(space, f"{path}?previous=true&tailLines=1") == "third\n"

    def test_of_a_pod_without_a_node_is_empty(self, space: TestNamespace) -> None:
        """Nobody has it yet, and that is no error."""
        space.submit(job("huge", gpus=9))
        (pod,) = space.await_pods("huge", phase="Pending")

        assert text(space, f"{space.pods}/{pod['metadata']['name']}/log") == ""


class TestRefusals:
    """Logs that there are not."""

    @pytest.mark.parametrize(
        ("query", "status", "message"),
        [
            pytest.param(
                "tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0", id="tail"
            ),
            pytest.param("sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0", id="since"),
            pytest.param("limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0", id="limit"),
            pytest.param("tailLines=x", 400, "strconv.ParseInt: ", id="no number"),
            pytest.param("container=other", 400, "container other is not valid for pod talks-", id="container"),
            pytest.param("previous=true", 400, 'previous terminated container "main" in pod "talks-', id="previous"),
        ],
    )
    def test_odd_queries(self, space: TestNamespace, query: str, status: int, message: str) -> None:
        """In the API server's words, or the kubelet's."""
        path = running(space, printing("talks"))

        refused = outcome_of(lambda: space.client.text(f"{path}?{query}"))

        assert (refused.status, message in refused.message) == (status, True)

    def test_several_containers(self, space: TestNamespace) -> None:
        """One has to be named."""
        path = running(space, printing("talks", "run-forever", "sidecar"))

        assert outcome_of(lambda: space.client.text(path)).message.endswith(", choose one of: [main sidecar]")

    @pytest.mark.parametrize(
        ("simulate", "waits"),
        [("image-pull", "trying and failing to pull image"), ("config-error", "CreateContainerConfigError")],
    )
    def test_a_container_that_waits(self, space: TestNamespace, simulate: str, waits: str) -> None:
        """The refusal says what for."""
        space.submit(printing("waits", simulate))
        (pod,) = eventually(
            lambda: [one for one in space.pods_of("waits") if one["status"].get("containerStatuses")],
            lambda pods: pods != [],
        )
        name = pod["metadata"]["name"]

        refused = outcome_of(lambda: space.client.text(f"{space.pods}/{name}/log"))

        assert refused[:3] == (400, "BadRequest", f'container "main" in pod "{name}" is waiting to start: {waits}')

    def test_a_pod_that_is_not_there(self, space: TestNamespace) -> None:
        """It is not found."""
        assert outcome_of(lambda: space.client.text(f"{space.pods}/nobody/log"))[:2] == (404, "NotFound")
