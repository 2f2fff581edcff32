"""The one renderer: what is asked becomes a batch/v1 Job, and nothing that was not asked."""

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
MARKS = {
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
        "labels": MARKS,
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
            "metadata": {"labels": MARKS},
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
            "metadata": {"labels": {**MARKS, "researcher.dev/type": "Interactive"}},
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
    """The Job that Alice asks for with *fields*."""
    return render(submission(**fields), ALICE, identity())


def pod_of(manifest: Manifest) -> Manifest:
    """The spec of the Job's pods."""
    spec: Manifest = manifest["spec"]["template"]["spec"]
    return spec


def main_of(manifest: Manifest) -> Manifest:
    """The container of the Job's pods."""
    container: Manifest = pod_of(manifest)["containers"][0]
    return container


class TestWhole:
    """The whole manifest, from end to end."""

    def test_minimal(self) -> None:
        """Only what is required is asked: everything else is what we always set."""
        assert rendered() == MINIMAL

    def test_maximal(self) -> None:
        """Every field is asked, and every field arrives."""
        assert render(submission(**EVERYTHING), ALICE, identity(key_hash="key")) == MAXIMAL

    def test_every_field_is_asked_in_the_maximal_one(self) -> None:
        """A field that is added to the model must be added above; two only stand in for others that are there."""
        asked = submission(**EVERYTHING)

        assert asked.model_fields_set == set(type(asked).model_fields) - {"job_name_prefix", "nodes"}


class TestContainer:
    """What runs, and what it is told."""

    def test_empty_command_is_the_images_own(self) -> None:
        """As one that was not sent."""
        assert "command" not in main_of(rendered(command=[]))

    def test_nodes_find_each_other(self) -> None:
        """By the subdomain of the Job's own Service, and by what torchrun expects in the environment."""
        asked = rendered(nodes=2, environment={"SEED": "7"})

        names = [variable["name"] for variable in main_of(asked)["env"]]
        assert pod_of(asked)["subdomain"] == identity().service
        assert (names[0], {"MASTER_ADDR", "MASTER_PORT", "NNODES", "NODE_RANK"} <= set(names)) == ("SEED", True)

    def test_without_gpus_there_are_no_devices(self) -> None:
        """NVIDIA's images ask for all GPUs of the node; the runtime believes the pod, and the request is none."""
        assert main_of(rendered(environment={"A": "b"}))["env"] == [{"name": "A", "value": "b"}, VOID]
        assert "env" not in main_of(rendered(gpu=1))

    def test_single_pod_has_no_service(self) -> None:
        """And so no subdomain."""
        assert "subdomain" not in pod_of(rendered())


class TestResources:
    """What each pod is given."""

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
    def test_each_amount_goes_where_it_belongs(
        self, fields: dict[str, object], requests: dict[str, str], limits: dict[str, str]
    ) -> None:
        """Requests are what a pod is given at least, limits what it gets at most; GPUs are both."""
        assert {"requests": requests, "limits": limits} == main_of(rendered(**fields))["resources"]


class TestTime:
    """For how long."""

    @pytest.mark.parametrize(
        ("asked", "retention", "expected"),
        [(None, None, 2_678_400), (1, "1", 86_401), ("30d", "2592000", 2_678_400), ("2m", "120", 86_520)],
    )
    def test_finished_job_goes_in_time(self, asked: object, retention: str | None, expected: int) -> None:
        """The cleanup reads what was asked; by itself the cluster deletes a day later, and never never."""
        manifest = rendered(ttlAfterFinish=asked)

        assert retention == manifest["metadata"]["annotations"].get("researcher.dev/retention")
        assert expected == manifest["spec"]["ttlSecondsAfterFinished"]


class TestMarks:
    """Labels and annotations."""

    def test_user_labels_are_on_the_job_alone(self) -> None:
        """On a pod they could make it match a Service or a NetworkPolicy."""
        manifest = rendered(labels={"app": "gateway"}, queue="gpus")

        assert manifest["metadata"]["labels"]["app"] == "gateway"
        assert manifest["spec"]["template"]["metadata"] == {"labels": MARKS}

    def test_our_marks_come_last(self) -> None:
        """Even if a reserved key got past the check, it would not win."""
        forged = dict.fromkeys([*MARKS, "kueue.x-k8s.io/queue-name", "researcher.dev/request-hash"], "forged")
        asked = submission(queue="gpus").model_copy(update={"labels": forged, "annotations": forged})

        meta = render(asked, ALICE, identity())["metadata"]

        assert {**forged, **MARKS, "kueue.x-k8s.io/queue-name": "gpus"} == meta["labels"]
        assert (meta["annotations"]["researcher.dev/user"], meta["annotations"]["researcher.dev/request-hash"]) == (
            "alice",
            "asked",
        )

    def test_subject_is_shown_whole_and_selected_by_hash(self) -> None:
        """The annotation holds who asked, the label what Kubernetes takes for it."""
        caller = Caller("auth0|7", ())

        meta = render(submission(), caller, identity())["metadata"]

        assert (caller.label, "auth0|7") == (
            meta["labels"]["researcher.dev/user"],
            meta["annotations"]["researcher.dev/user"],
        )

    def test_uploader_is_noted(self) -> None:
        """S3 alone knows who put the object there; the Job is the bucket's all the same."""
        meta = render(submission(), Caller.for_uploads("uploads-a", "AWS:AIDAEXAMPLE"), identity())["metadata"]

        assert meta["annotations"]["researcher.dev/uploaded-by"] == "AWS:AIDAEXAMPLE"
        assert meta["annotations"]["researcher.dev/user"] == "s3-uploads-a"


class TestPodSecurity:
    """The restricted profile of the Pod Security Standards."""

    @given(submissions())
    def test_every_submission_is_within_the_restricted_profile(self, asked: Submission) -> None:
        """Whatever may be asked, the pod is one that the strictest namespace takes."""
        assert violations(pod_of(render(asked, ALICE, identity()))) == []

    @pytest.mark.parametrize(
        ("place", "value", "expected"),
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
    def test_check_itself_can_fail(self, place: tuple[Any, ...], value: object, expected: str) -> None:
        """A pod that breaks one rule of the profile is told for that rule."""
        pod = deepcopy(pod_of(MINIMAL))
        *way, last = place
        here: Any = pod
        for step in way:
            here = here[step]
        here[last] = value

        assert violations(pod_of(MINIMAL)) == []
        assert expected in violations(pod)


class TestEverySubmission:
    """What else holds for all."""

    @given(submissions())
    def test_pod_is_cut_off_from_the_cluster(self, asked: Submission) -> None:
        """No token of a service account, no addresses of services, no second container, never restarted in place."""
        pod = pod_of(render(asked, ALICE, identity()))

        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"], pod["restartPolicy"]) == (
            False,
            False,
            "Never",
        )
        assert len(pod["containers"]) == 1
        assert not pod.keys() & {"serviceAccountName", "initContainers", "nodeName", "tolerations", "affinity"}

    @given(submissions())
    def test_namespace_is_the_projects(self, asked: Submission) -> None:
        """No field but the project says where."""
        assert render(asked, ALICE, identity())["metadata"]["namespace"] == f"researcher-{asked.project}"

    @given(submissions())
    def test_kubernetes_takes_labels_and_keys(self, asked: Submission) -> None:
        """Whatever the user labels it with."""
        meta = render(asked, ALICE, identity())["metadata"]

        assert all(is_label_key(key) for key in meta["labels"] | meta["annotations"])
        assert all(is_label_value(value) for value in meta["labels"].values())

    @given(submissions())
    def test_mounts_and_volumes_fit(self, asked: Submission) -> None:
        """Every mount has its volume, every volume its mount, and no two share a path."""
        pod = pod_of(render(asked, ALICE, identity()))
        mounts = pod["containers"][0].get("volumeMounts", [])

        assert [mount["name"] for mount in mounts] == [volume["name"] for volume in pod.get("volumes", [])]
        assert len({mount["mountPath"] for mount in mounts}) == len(mounts)

    @given(submissions())
    def test_nothing_is_null(self, asked: Submission) -> None:
        """What is not asked is not sent: strict validation of fields would refuse a null."""
        assert b"null" not in _without_texts(render(asked, ALICE, identity()))

    @given(submissions())
    def test_what_is_made_is_what_is_shown(self, asked: Submission) -> None:
        """The view of the rendered Job says what was asked."""
        manifest = render(asked, ALICE, JobIdentity("train-1", "asked", None))

        shown = view(asked.project, msgspec.convert(manifest, Job), ())

        expected = (
            asked.job_type,
            asked.image,
            "alice",
            asked.labels,
            asked.gpu * (asked.nodes or min(asked.parallelism, asked.completions or asked.parallelism)),
        )
        assert expected == (shown.type, shown.images, shown.user, shown.labels, shown.requested_gpus)


def _without_texts(manifest: Any) -> bytes:  # noqa: ANN401 - any part of a manifest
    """*manifest* as JSON, with every text emptied."""
    if isinstance(manifest, dict):
        return b"".join(_without_texts(value) for value in manifest.values())
    if isinstance(manifest, list):
        return b"".join(map(_without_texts, manifest))
    return b"" if isinstance(manifest, str) else msgspec.json.encode(manifest)
