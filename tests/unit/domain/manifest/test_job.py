"""Tests of the rendering of Jobs."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given

from chalicelib.domain.caller import Caller
from chalicelib.domain.job.view import view
from chalicelib.domain.kubernetes.jobs import Job
from chalicelib.domain.labels import is_label_key, is_label_value
from chalicelib.domain.manifest.job import render
from chalicelib.domain.submission.idempotency import JobIdentity
from infra.localcluster.pod_security import violations
from tests.support.builders import ALICE, document, identity, submission
from tests.support.submissions import submissions

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest
    from chalicelib.domain.submission.model import Submission

POD_CONTEXT = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTEXT = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "privileged": False}
VOID = {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}
LABELS = {
    "app.kubernetes.io/managed-by": "researcher-api",
    "researcher.dev/project": "team-a",
    "researcher.dev/type": "Train",
    "researcher.dev/user": "alice",
}
MINIMAL = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": "train-1",
        "namespace": "researcher-team-a",
        "labels": LABELS,
        "annotations": {
            "researcher.dev/user": "alice",
            "researcher.dev/request-hash": "asked",
            "researcher.dev/submission": '{"project":"team-a","image":"busybox"}',
        },
    },
    "spec": {
        "parallelism": 1,
        "completions": 1,
        "completionMode": "NonIndexed",
        "backoffLimit": 6,
        "ttlSecondsAfterFinished": 2_678_400,
        "podReplacementPolicy": "Failed",
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "securityContext": POD_CONTEXT,
                "containers": [
                    {
                        "name": "main",
                        "image": "busybox",
                        "env": [VOID],
                        "resources": {"requests": {}, "limits": {}},
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "securityContext": CONTEXT,
                    }
                ],
            },
        },
    },
}
EVERYTHING = document(
    image="nvcr.io/nvidia/pytorch:26.10-py3",
    name="train-1",
    type="Interactive",
    interactive=True,
    command="python -m 'my train'",
    arguments=["--epochs", "3"],
    environment={"SEED": 7, "DEBUG": True, "TOKEN": {"secret": {"name": "hub", "key": "token"}}},
    workingDir="/work",
    gpu=8.0,
    cpu=0.5,
    cpuLimit=4,
    memory="16Gi",
    memoryLimit="32000000K",
    nodeType="p5.48xlarge",
    parallelism=2,
    completions=4,
    indexed=True,
    backoffLimit=0,
    backoffLimitPerIndex=2,
    maxFailedIndexes=3,
    retry={"exitCodes": [42, 7], "ignoreDisruptions": True},
    maxRuntimeSeconds=3600,
    ttlAfterFinish="3h",
    preemptible=True,
    queue="gpus",
    largeShm=True,
    pvc=[
        {"path": "/data", "name": "datasets", "readOnly": True},
        {"path": "/scratch", "size": "1K", "storageClass": "gp3"},
        {"path": "/tmp", "size": "1Gi"},  # noqa: S108 - in the container
    ],
    imagePullPolicy="Always",
    runAsUid=2000,
    runAsGid=3000,
    preventPrivilegeEscalation=True,
    stdin=True,
    tty=True,
    labels={"team": "vision"},
    annotations={"example.com/note": "the 7th\ntrial"},
)
MAXIMAL = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": "train-1",
        "namespace": "researcher-team-a",
        "labels": {
            "team": "vision",
            "app.kubernetes.io/managed-by": "researcher-api",
            "researcher.dev/project": "team-a",
            "researcher.dev/type": "Interactive",
            "researcher.dev/user": "alice",
            "kueue.x-k8s.io/queue-name": "gpus",
        },
        "annotations": {
            "example.com/note": "the 7th\ntrial",
            "researcher.dev/user": "alice",
            "researcher.dev/request-hash": "asked",
            "researcher.dev/idempotency-key-hash": "key",
            "researcher.dev/submission": submission(**EVERYTHING).as_submitted.decode(),
            "researcher.dev/retention": "10800",
        },
    },
    "spec": {
        "parallelism": 2,
        "completions": 4,
        "completionMode": "Indexed",
        "backoffLimit": 0,
        "backoffLimitPerIndex": 2,
        "maxFailedIndexes": 3,
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                {
                    "action": "FailIndex",
                    "onExitCodes": {"containerName": "main", "operator": "NotIn", "values": [7, 42]},
                },
            ]
        },
        "activeDeadlineSeconds": 3600,
        "ttlSecondsAfterFinished": 97_200,
        "podReplacementPolicy": "Failed",
        "template": {
            "metadata": {"labels": {**LABELS, "researcher.dev/type": "Interactive"}},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "nodeSelector": {"node.kubernetes.io/instance-type": "p5.48xlarge"},
                "priorityClassName": "researcher-preemptible",
                "securityContext": {**POD_CONTEXT, "runAsUser": 2000, "runAsGroup": 3000, "fsGroup": 3000},
                "containers": [
                    {
                        "name": "main",
                        "image": "nvcr.io/nvidia/pytorch:26.10-py3",
                        "imagePullPolicy": "Always",
                        "command": ["python", "-m", "my train"],
                        "args": ["--epochs", "3"],
                        "env": [
                            {"name": "SEED", "value": "7"},
                            {"name": "DEBUG", "value": "true"},
                            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
                        ],
                        "workingDir": "/work",
                        "stdin": True,
                        "tty": True,
                        "resources": {
                            "requests": {"cpu": "500m", "memory": "16Gi", "nvidia.com/gpu": "8"},
                            "limits": {"cpu": "4", "memory": "32000000k", "nvidia.com/gpu": "8"},
                        },
                        "volumeMounts": [
                            {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108 - in the container
                            {"name": "volume-0", "mountPath": "/data", "readOnly": True},
                            {"name": "volume-1", "mountPath": "/scratch", "readOnly": False},
                            {"name": "volume-2", "mountPath": "/tmp", "readOnly": False},  # noqa: S108 - as above
                        ],
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "securityContext": CONTEXT,
                    }
                ],
                "volumes": [
                    {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "32000000k"}},
                    {"name": "volume-0", "persistentVolumeClaim": {"claimName": "datasets", "readOnly": True}},
                    {
                        "name": "volume-1",
                        "ephemeral": {
                            "volumeClaimTemplate": {
                                "spec": {
                                    "accessModes": ["ReadWriteOnce"],
                                    "storageClassName": "gp3",
                                    "resources": {"requests": {"storage": "1k"}},
                                }
                            }
                        },
                    },
                    {
                        "name": "volume-2",
                        "ephemeral": {
                            "volumeClaimTemplate": {
                                "spec": {
                                    "accessModes": ["ReadWriteOnce"],
                                    "resources": {"requests": {"storage": "1Gi"}},
                                }
                            }
                        },
                    },
                ],
            },
        },
    },
}


def rendered(**fields: object) -> Manifest:
    """Return the Job of Alice's submission with *fields*."""
    return render(submission(**fields), ALICE, identity())


def pod_of(manifest: Manifest) -> Manifest:
    """Return the spec of the Job's pods."""
    spec: Manifest = manifest["spec"]["template"]["spec"]
    return spec


def main_of(manifest: Manifest) -> Manifest:
    """Return the container of the Job's pods."""
    container: Manifest = pod_of(manifest)["containers"][0]
    return container


class TestRender:
    """Tests of the whole manifest."""

    def test_minimal(self) -> None:
        """With only the required fields, the manifest contains what the API always sets."""
        assert rendered() == MINIMAL

    def test_maximal(self) -> None:
        """Every field of the submission is rendered."""
        assert render(submission(**EVERYTHING), ALICE, identity(key_hash="key")) == MAXIMAL

    def test_maximal_submission_has_every_field(self) -> None:
        """A new field of the model must be added above; the exceptions exclude others, and have tests below."""
        maximal = submission(**EVERYTHING)

        assert maximal.model_fields_set == set(type(maximal).model_fields) - {
            "job_name_prefix",
            "nodes",
            "script",
            "shell",
        }


class TestContainer:
    """Tests of the container."""

    def test_empty_command(self) -> None:
        """An empty command has no effect, like a missing one."""
        assert "command" not in main_of(rendered(command=[]))

    @pytest.mark.parametrize(
        ("fields", "command", "arguments"),
        [
            ({"script": "cd /x\nrun $A"}, ["/bin/bash", "-ec", "cd /x\nrun $A"], None),
            ({"script": "run", "shell": "sh"}, ["/bin/sh", "-ec", "run"], None),
            ({"script": "run $1", "arguments": ["-v", 2]}, ["/bin/bash", "-ec", "run $1"], ["script", "-v", "2"]),
            # Kubernetes turns $$ into $, and replaces $(DATE) if the container has a variable of this name.
            ({"script": "a=$(DATE) b=$$ c=$d"}, ["/bin/bash", "-ec", "a=$$(DATE) b=$$$$ c=$$d"], None),
        ],
    )
    def test_script(self, fields: dict[str, object], command: list[str], arguments: list[str] | None) -> None:
        """A shell runs the script as it is written, with the arguments as $1 and so on."""
        container = main_of(rendered(**fields))

        assert (container["command"], container.get("args")) == (command, arguments)

    def test_multi_node(self) -> None:
        """Pods have the subdomain of the Service, and the environment variables for torchrun."""
        manifest = rendered(nodes=2, environment={"SEED": "7"})

        names = [variable["name"] for variable in main_of(manifest)["env"]]
        assert pod_of(manifest)["subdomain"] == identity().service
        assert (names[0], {"MASTER_ADDR", "MASTER_PORT", "NNODES", "NODE_RANK"} <= set(names)) == ("SEED", True)

    def test_no_devices_without_gpus(self) -> None:
        """A Job without GPUs overrides the variable by which NVIDIA's images request all GPUs."""
        assert main_of(rendered(environment={"A": "b"}))["env"] == [{"name": "A", "value": "b"}, VOID]
        assert "env" not in main_of(rendered(gpu=1))

    def test_single_pod_has_no_subdomain(self) -> None:
        """Only multi-node Jobs have a Service."""
        assert "subdomain" not in pod_of(rendered())


class TestResources:
    """Tests of resources."""

    @pytest.mark.parametrize(
        ("fields", "requests", "limits"),
        [
            ({"gpu": 1}, {"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "1"}),
            ({"gpu": 0}, {}, {}),
            ({"cpu": 1}, {"cpu": "1"}, {}),
            ({"cpuLimit": 1.5}, {}, {"cpu": "1500m"}),
            ({"memory": "1K"}, {"memory": "1k"}, {"memory": "1k"}),
            ({"memory": "1Gi", "memoryLimit": "2Gi"}, {"memory": "1Gi"}, {"memory": "2Gi"}),
            ({"memoryLimit": "1Gi"}, {}, {"memory": "1Gi"}),
        ],
    )
    def test_requests_and_limits(
        self, fields: dict[str, object], requests: dict[str, str], limits: dict[str, str]
    ) -> None:
        """Each field becomes a request or a limit; GPUs are both."""
        assert {"requests": requests, "limits": limits} == main_of(rendered(**fields))["resources"]


class TestTime:
    """Tests of the retention."""

    @pytest.mark.parametrize(
        ("ttl", "retention", "expected"),
        [(None, None, 2_678_400), (1, "1", 86_401), ("30d", "2592000", 2_678_400), ("2m", "120", 86_520)],
    )
    def test_retention_and_ttl(self, ttl: object, retention: str | None, expected: int) -> None:
        """The annotation has the requested retention; the TTL controller always deletes the Job a day later."""
        manifest = rendered(ttlAfterFinish=ttl)

        assert retention == manifest["metadata"]["annotations"].get("researcher.dev/retention")
        assert expected == manifest["spec"]["ttlSecondsAfterFinished"]


class TestLabels:
    """Tests of labels and annotations."""

    def test_user_labels_are_only_on_the_job(self) -> None:
        """A user label on a pod could make it match a Service or a NetworkPolicy."""
        manifest = rendered(labels={"app": "gateway"}, queue="gpus")

        assert manifest["metadata"]["labels"]["app"] == "gateway"
        assert manifest["spec"]["template"]["metadata"] == {"labels": LABELS}

    def test_own_labels_take_precedence(self) -> None:
        """A reserved key, even if it passed the validation, cannot override the API's own labels."""
        forged = dict.fromkeys([*LABELS, "kueue.x-k8s.io/queue-name", "researcher.dev/request-hash"], "forged")
        forgery = submission(queue="gpus").model_copy(update={"labels": forged, "annotations": forged})

        meta = render(forgery, ALICE, identity())["metadata"]

        assert {**forged, **LABELS, "kueue.x-k8s.io/queue-name": "gpus"} == meta["labels"]
        assert (meta["annotations"]["researcher.dev/user"], meta["annotations"]["researcher.dev/request-hash"]) == (
            "alice",
            "asked",
        )

    def test_subject(self) -> None:
        """The annotation has the subject, and the label its hash if it is not a valid label value."""
        caller = Caller("auth0|7", ())

        meta = render(submission(), caller, identity())["metadata"]

        assert (caller.label, "auth0|7") == (
            meta["labels"]["researcher.dev/user"],
            meta["annotations"]["researcher.dev/user"],
        )

    def test_uploader(self) -> None:
        """The uploader is an annotation; the user of the Job is the identity of the bucket."""
        meta = render(submission(), Caller.for_uploads("uploads-a", "AWS:AIDAEXAMPLE"), identity())["metadata"]

        assert meta["annotations"]["researcher.dev/uploaded-by"] == "AWS:AIDAEXAMPLE"
        assert meta["annotations"]["researcher.dev/user"] == "s3-uploads-a"


class TestPodSecurity:
    """Tests of the restricted profile of the Pod Security Standards."""

    @given(submissions())
    def test_any_submission_is_restricted(self, subject: Submission) -> None:
        """No submission violates the restricted profile."""
        assert violations(pod_of(render(subject, ALICE, identity()))) == []

    @pytest.mark.parametrize(
        ("path", "value", "expected"),
        [
            (("hostNetwork",), True, "hostNetwork"),
            (("hostPID",), True, "hostPID"),
            (("hostIPC",), True, "hostIPC"),
            (("volumes",), [{"name": "a", "hostPath": {"path": "/"}}], "volume hostPath"),
            (("volumes",), [{"name": "a", "nfs": {}}], "volume nfs"),
            (("securityContext", "runAsNonRoot"), False, "runAsNonRoot"),
            (("securityContext", "runAsUser"), 0, "runAsUser"),
            (("securityContext", "seccompProfile"), {"type": "Unconfined"}, "seccompProfile"),
            (("securityContext",), {}, "runAsNonRoot"),
            (("securityContext", "sysctls"), [], "sysctls"),
            (("containers", 0, "securityContext"), {}, "allowPrivilegeEscalation"),
            (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True, "allowPrivilegeEscalation"),
            (("containers", 0, "securityContext", "privileged"), True, "privileged"),
            (("containers", 0, "securityContext", "capabilities"), {"drop": ["NET_RAW"]}, "capabilities.drop"),
            (("containers", 0, "securityContext", "capabilities", "add"), ["SYS_ADMIN"], "capabilities.add"),
            (("containers", 0, "securityContext", "runAsUser"), 0, "runAsUser"),
            (("containers", 0, "securityContext", "procMount"), "Unmasked", "procMount"),
            (("containers", 0, "ports"), [{"hostPort": 80}], "hostPort"),
            (("initContainers",), [{"name": "a"}], "allowPrivilegeEscalation"),
        ],
    )
    def test_check_reports_violations(self, path: tuple[Any, ...], value: object, expected: str) -> None:
        """The check used above reports a pod that violates a rule of the profile."""
        pod = deepcopy(pod_of(MINIMAL))
        *parents, last = path
        target: Any = pod
        for step in parents:
            target = target[step]
        target[last] = value

        assert violations(pod_of(MINIMAL)) == []
        assert expected in violations(pod)


class TestEverySubmission:
    """Tests with generated submissions."""

    @given(submissions())
    def test_pod_has_no_access_to_the_cluster(self, subject: Submission) -> None:
        """A pod has no service account token, no service variables, and one container that is not restarted."""
        pod = pod_of(render(subject, ALICE, identity()))

        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"], pod["restartPolicy"]) == (
            False,
            False,
            "Never",
        )
        assert len(pod["containers"]) == 1
        assert not pod.keys() & {"serviceAccountName", "initContainers", "nodeName", "tolerations", "affinity"}

    @given(submissions())
    def test_namespace(self, subject: Submission) -> None:
        """The namespace depends only on the Project."""
        assert render(subject, ALICE, identity())["metadata"]["namespace"] == f"researcher-{subject.project}"

    @given(submissions())
    def test_labels_are_valid(self, subject: Submission) -> None:
        """All labels and annotations are valid in Kubernetes."""
        meta = render(subject, ALICE, identity())["metadata"]

        assert all(is_label_key(key) for key in meta["labels"] | meta["annotations"])
        assert all(is_label_value(value) for value in meta["labels"].values())

    @given(submissions())
    def test_mounts_match_volumes(self, subject: Submission) -> None:
        """Every volume has one mount, and each mount has its own path."""
        pod = pod_of(render(subject, ALICE, identity()))
        mounts = pod["containers"][0].get("volumeMounts", [])

        assert [mount["name"] for mount in mounts] == [volume["name"] for volume in pod.get("volumes", [])]
        assert len({mount["mountPath"] for mount in mounts}) == len(mounts)

    @given(submissions())
    def test_nothing_is_null(self, subject: Submission) -> None:
        """Unset fields are omitted, since strict field validation rejects null."""
        assert b"null" not in _without_texts(render(subject, ALICE, identity()))

    @given(submissions())
    def test_view_matches_the_submission(self, subject: Submission) -> None:
        """The view of the rendered Job has the values of the submission."""
        manifest = render(subject, ALICE, JobIdentity("train-1", "hash", None))

        job_view = view(subject.project, msgspec.convert(manifest, Job), ())

        expected = (
            subject.job_type,
            subject.image,
            "alice",
            subject.labels,
            subject.gpu * (subject.nodes or min(subject.parallelism, subject.completions or subject.parallelism)),
        )
        assert expected == (job_view.type, job_view.images, job_view.user, job_view.labels, job_view.requested_gpus)


def _without_texts(manifest: Any) -> bytes:  # noqa: ANN401 - any part of a manifest
    """Return *manifest* as JSON, with all strings emptied."""
    if isinstance(manifest, dict):
        return b"".join(_without_texts(value) for value in manifest.values())
    if isinstance(manifest, list):
        return b"".join(map(_without_texts, manifest))
    return b"" if isinstance(manifest, str) else msgspec.json.encode(manifest)
