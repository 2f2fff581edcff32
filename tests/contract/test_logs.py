"""Pod logs: their text, the parameters that limit it, and the errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.localcluster.simulated_log import LOG_VARIABLE
from tests.support.eventually import eventually
from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import NamespaceClient

LINES = ["first", "second, with ä", "third"]


def printing_job(name: str, simulate: str = "run-forever", *containers: str) -> Document:
    """Return a Job whose pods print LINES, in a container `main`, with further *containers*."""
    manifest = job(name, simulate, gpus=0)
    (main,) = manifest["spec"]["template"]["spec"]["containers"]
    main["env"] = [{"name": LOG_VARIABLE, "value": "\n".join(LINES)}]
    manifest["spec"]["template"]["spec"]["containers"] += [{"name": each, "image": "image:1"} for each in containers]
    return manifest


def start(namespace: NamespaceClient, manifest: Document) -> str:
    """Create a Job, wait until its pod runs, and return the path of the pod's log."""
    namespace.submit(manifest)
    (pod,) = namespace.await_pods(manifest["metadata"]["name"], phase="Running")
    return f"{namespace.pods}/{pod['metadata']['name']}/log"


def text(namespace: NamespaceClient, path: str) -> str:
    """Return the log at *path*."""
    return namespace.client.text(path)


class TestLimits:
    """The parameters that limit a log."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            pytest.param("", LINES, id="all"),
            pytest.param("?tailLines=2", LINES[1:], id="the last lines"),
            pytest.param("?tailLines=0", [], id="no lines"),
            pytest.param("?tailLines=9", LINES, id="more lines than the log has"),
            pytest.param("?sinceSeconds=600", LINES, id="time before the start"),
            pytest.param("?container=main", LINES, id="by the container's name"),
        ],
    )
    def test_whole_lines(self, namespace: NamespaceClient, query: str, expected: list[str]) -> None:
        """The response has the selected lines in order."""
        path = start(namespace, printing_job("talks"))

        assert "".join(f"{line}\n" for line in expected) == text(namespace, path + query)

    def test_first_bytes_of_the_last_lines(self, namespace: NamespaceClient) -> None:
        """`limitBytes` truncates the end, not the beginning."""
        path = start(namespace, printing_job("talks"))

        assert text(namespace, f"{path}?tailLines=2&limitBytes=6") == "second"

    def test_timestamps(self, namespace: NamespaceClient) -> None:
        """With `timestamps`, each line begins with its time in nanoseconds."""
        path = start(namespace, printing_job("talks"))

        (line,) = text(namespace, f"{path}?tailLines=1&timestamps=true").splitlines()
        time, _, rest = line.partition(" ")
        assert (len(time), time[-1], rest) == (len("2026-01-01T00:00:00.000000000Z"), "Z", "third")

    def test_since_seconds(self, namespace: NamespaceClient) -> None:
        """Lines older than `sinceSeconds` are omitted."""
        path = start(namespace, printing_job("talks"))

        eventually(lambda: text(namespace, f"{path}?sinceSeconds=1"), lambda log: not log)


class TestAttempts:
    """Logs of the runs of a container."""

    def test_failed_pod(self, namespace: NamespaceClient) -> None:
        """A failed pod has its log until it is deleted."""
        namespace.submit(printing_job("over", "exit-1"))
        (pod,) = eventually(
            lambda: [each for each in namespace.pods_of("over") if each["status"]["phase"] == "Failed"][:1],
            lambda pods: pods != [],
        )

        assert text(namespace, f"{namespace.pods}/{pod['metadata']['name']}/log?tailLines=1") == "third\n"

    def test_previous_run(self, namespace: NamespaceClient) -> None:
        """`previous` returns the log before the restart of a container."""
        path = start(namespace, printing_job("again", "restarted"))

        assert text(namespace, f"{path}?previous=true&tailLines=1") == "third\n"

    def test_unscheduled_pod(self, namespace: NamespaceClient) -> None:
        """The log of a pod without a node is empty, not an error."""
        namespace.submit(job("huge", gpus=9))
        (pod,) = namespace.await_pods("huge", phase="Pending")

        assert text(namespace, f"{namespace.pods}/{pod['metadata']['name']}/log") == ""


class TestErrors:
    """Logs that are not available."""

    @pytest.mark.parametrize(
        ("query", "status", "message"),
        [
            pytest.param(
                "tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0", id="tail"
            ),
            pytest.param("sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0", id="since"),
            pytest.param("limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0", id="limit"),
            pytest.param("tailLines=x", 400, "strconv.ParseInt: ", id="not a number"),
            pytest.param("container=other", 400, "container other is not valid for pod talks-", id="container"),
            pytest.param("previous=true", 400, 'previous terminated container "main" in pod "talks-', id="previous"),
        ],
    )
    def test_invalid_parameters(self, namespace: NamespaceClient, query: str, status: int, message: str) -> None:
        """The message is that of the API server or the kubelet."""
        path = start(namespace, printing_job("talks"))

        error = error_of(lambda: namespace.client.text(f"{path}?{query}"))

        assert (error.status, message in error.message) == (status, True)

    def test_container_is_required(self, namespace: NamespaceClient) -> None:
        """For a pod with several containers, `container` is required."""
        path = start(namespace, printing_job("talks", "run-forever", "sidecar"))

        assert error_of(lambda: namespace.client.text(path)).message.endswith(", choose one of: [main sidecar]")

    @pytest.mark.parametrize(
        ("simulate", "reason"),
        [("image-pull", "trying and failing to pull image"), ("config-error", "CreateContainerConfigError")],
    )
    def test_waiting_container(self, namespace: NamespaceClient, simulate: str, reason: str) -> None:
        """The message has the reason for which the container waits."""
        namespace.submit(printing_job("waits", simulate))
        (pod,) = eventually(
            lambda: [each for each in namespace.pods_of("waits") if each["status"].get("containerStatuses")],
            lambda pods: pods != [],
        )
        name = pod["metadata"]["name"]

        error = error_of(lambda: namespace.client.text(f"{namespace.pods}/{name}/log"))

        assert error[:3] == (400, "BadRequest", f'container "main" in pod "{name}" is waiting to start: {reason}')

    def test_missing_pod(self, namespace: NamespaceClient) -> None:
        """The log of a missing pod is 404."""
        assert error_of(lambda: namespace.client.text(f"{namespace.pods}/missing/log"))[:2] == (404, "NotFound")
