"""The statuses of several containers in a pod, and of containers that do not start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from infra.localcluster.simulation import MISSING_KEY, MISSING_SECRET
from tests.support.eventually import eventually
from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import NamespaceClient

RUNNING, COMPLETED = "running", "Completed"


class PodState(NamedTuple):
    """The phase of a pod, and the state of each container: `running`, or its reason."""

    phase: str
    containers: dict[str, str]


def state_of(pod: Document) -> PodState:
    """Return the state of *pod*."""
    status = pod["status"]
    statuses = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    states = {each["name"]: next(iter(each["state"].items())) for each in statuses}
    return PodState(status["phase"], {name: state.get("reason", kind) for name, (kind, state) in states.items()})


def await_state(namespace: NamespaceClient, name: str, expected: PodState) -> Document:
    """Wait until a pod of the Job has the *expected* state, and return it."""
    found = eventually(
        lambda: [pod for pod in namespace.pods_of(name) if state_of(pod) == expected], lambda pods: pods != []
    )
    return found[0]


class TestSeveral:
    """Init containers, native sidecars, and containers that were injected."""

    @pytest.mark.parametrize(
        ("simulate", "expected"),
        [
            ("init-crash", PodState("Failed", {"init-mesh": "Error", "main": "PodInitializing"})),
            ("init-stuck", PodState("Pending", {"init-mesh": RUNNING, "main": "PodInitializing"})),
            ("sidecar-stays", PodState("Running", {"main": COMPLETED, "mesh-proxy": RUNNING})),
            ("sidecar-crash", PodState("Pending", {"mesh-proxy": "ImagePullBackOff", "main": "PodInitializing"})),
        ],
    )
    def test_state(self, namespace: NamespaceClient, simulate: str, expected: PodState) -> None:
        """The program starts after the init containers, and a container that runs on keeps the pod running."""
        namespace.submit(job("several", simulate, gpus=0, backoffLimit=0))

        await_state(namespace, "several", expected)

    def test_native_sidecar(self, namespace: NamespaceClient) -> None:
        """A native sidecar runs beside the program, and ends after it."""
        manifest = job("several", gpus=0)
        sidecar = {"name": "sidecar", "image": "image:1", "restartPolicy": "Always"}
        manifest["spec"]["template"]["spec"]["initContainers"] = [sidecar]

        namespace.submit(manifest)

        assert namespace.await_end("several")["type"] == "Complete"
        await_state(namespace, "several", PodState("Succeeded", {"sidecar": COMPLETED, "main": COMPLETED}))

    def test_log_of_an_init_container(self, namespace: NamespaceClient) -> None:
        """An init container has a log of its own, and the program that waits for it has none."""
        namespace.submit(job("several", "init-crash", gpus=0, backoffLimit=0))
        namespace.await_end("several")
        (pod,) = namespace.pods_of("several")
        log = f"{namespace.pods}/{pod['metadata']['name']}/log"

        assert "mesh.example.com/proxy:1" in namespace.client.text(f"{log}?container=init-mesh")
        error = error_of(lambda: namespace.client.text(f"{log}?container=main"))
        assert error.message.endswith("is waiting to start: PodInitializing")


class TestNotStarting:
    """Containers that do not start."""

    @pytest.mark.parametrize(
        ("simulate", "reason", "words"),
        [
            ("image-pull", "ImagePullBackOff", "code = NotFound"),
            ("image-unauthorized", "ImagePullBackOff", "401 Unauthorized"),
            ("image-unreachable", "ImagePullBackOff", "i/o timeout"),
            ("pull-rate-limit", "ImagePullBackOff", "429 Too Many Requests - Server message: toomanyrequests"),
            ("pull-unauthorized", "ImagePullBackOff", "no basic auth credentials"),
            ("pull-certificate", "ImagePullBackOff", "x509: certificate signed by unknown authority"),
        ],
    )
    def test_image(self, namespace: NamespaceClient, simulate: str, reason: str, words: str) -> None:
        """The message has the registry's words, as have the events."""
        namespace.submit(job("stuck", simulate, gpus=0))

        pod = await_state(namespace, "stuck", PodState("Pending", {"main": reason}))

        assert words in pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
        eventually(lambda: namespace.events("Failed"), lambda events: words in " ".join(events))

    @pytest.mark.parametrize(
        ("name", "key", "message"),
        [
            (MISSING_SECRET, "token", 'secret "no-such-secret" not found'),
            ("tokens", MISSING_KEY, "couldn't find key no-such-key in Secret {namespace}/tokens"),
        ],
    )
    def test_secret(self, namespace: NamespaceClient, name: str, key: str, message: str) -> None:
        """A container with a Secret or key that does not exist waits."""
        manifest = job("stuck", gpus=0)
        variable = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
        manifest["spec"]["template"]["spec"]["containers"][0]["env"] = [variable]

        namespace.submit(manifest)

        pod = await_state(namespace, "stuck", PodState("Pending", {"main": "CreateContainerConfigError"}))
        waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
        assert waiting["message"] == message.format(namespace=namespace.name)

    @pytest.mark.parametrize(
        ("simulate", "reason"), [("mount-failed", "FailedMount"), ("no-ip-address", "FailedCreatePodSandBox")]
    )
    def test_pod(self, namespace: NamespaceClient, simulate: str, reason: str) -> None:
        """A pod whose volumes or network cannot be set up only has an event about it."""
        namespace.submit(job("stuck", simulate, gpus=0))

        await_state(namespace, "stuck", PodState("Pending", {"main": "ContainerCreating"}))
        assert eventually(lambda: namespace.events(reason), bool)

    def test_rejected_by_the_node(self, namespace: NamespaceClient) -> None:
        """A pod that the node rejects has failed without containers."""
        namespace.submit(job("stuck", "device-error", backoffLimit=0))
        namespace.await_end("stuck")

        (pod,) = namespace.pods_of("stuck")
        assert (pod["status"]["reason"], state_of(pod)) == ("UnexpectedAdmissionError", PodState("Failed", {}))
