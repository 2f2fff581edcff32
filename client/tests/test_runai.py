"""Lines of `runai submit` as people have them in their scripts: translated, or refused with the API's own reason."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Result

IMAGE = "-i busybox"
TRANSLATED: list[tuple[str, dict[str, Any]]] = [
    (f"--name frac05 {IMAGE} -g 1", {"name": "frac05", "gpu": 1}),
    ("--name build1 -i ubuntu -g 0 --interactive -- sleep infinity",
     {"interactive": True, "command": ["sleep", "infinity"]}),
    (f"--job-name-prefix exp {IMAGE} --gpu 2", {"jobNamePrefix": "exp", "gpu": 2}),
    (f"--name-prefix exp {IMAGE}", {"jobNamePrefix": "exp"}),
    (f"{IMAGE} --cpu 2 --cpu-limit 4 --memory 16G --memory-limit 20G",
     {"cpu": 2, "cpuLimit": 4, "memory": "16G", "memoryLimit": "20G"}),
    (f"{IMAGE} -e LR=0.1 -e EPOCHS=3", {"environment": {"LR": "0.1", "EPOCHS": "3"}}),
    (f"{IMAGE} --environment A=b=c", {"environment": {"A": "b=c"}}),
    (f"{IMAGE} --environment-variable BATCH=50", {"environment": {"BATCH": "50"}}),
    (f"{IMAGE} --working-dir /workspace --large-shm", {"workingDir": "/workspace", "largeShm": True}),
    (f"{IMAGE} --large-shm=true --tty=false", {"largeShm": True}),
    (f"{IMAGE} --pvc datasets:/data:ro", {"pvc": [{"name": "datasets", "path": "/data", "readOnly": True}]}),
    (f"{IMAGE} --existing-pvc claimname=datasets,path=/data", {"pvc": [{"name": "datasets", "path": "/data"}]}),
    (f"{IMAGE} --new-pvc claimname=x,size=10Gi,path=/s,storageclass=gp3",
     {"pvc": [{"size": "10Gi", "path": "/s", "storageClass": "gp3"}]}),
    (f"{IMAGE} --node-type p5.48xlarge --preemptible", {"nodeType": "p5.48xlarge", "preemptible": True}),
    (f"{IMAGE} --preemptibility preemptible", {"preemptible": True}),
    (f"{IMAGE} --parallelism 4 --completions 8 --backoff-limit 3",
     {"parallelism": 4, "completions": 8, "backoffLimit": 3}),
    (f"{IMAGE} --runs 5", {"completions": 5}),
    (f"{IMAGE} --ttl-after-finish 3h", {"ttlAfterFinish": "3h"}),
    (f"{IMAGE} --auto-deletion-time-after-completion 60s", {"ttlAfterFinish": "60s"}),
    (f"{IMAGE} --image-pull-policy IfNotPresent", {"imagePullPolicy": "IfNotPresent"}),
    (f"{IMAGE} --label team=vision --annotation note=x", {"labels": {"team": "vision"}, "annotations": {"note": "x"}}),
    (f"{IMAGE} --run-as-uid 1001 --run-as-gid 1001", {"runAsUid": 1001, "runAsGid": 1001}),
    (f"{IMAGE} --gpu-devices-request 2 --gpu-request-type device", {"gpu": 2}),
    (f"{IMAGE} --cpu-core-request 0.5 --cpu-core-limit 1 --cpu-memory-request 1Gi --cpu-memory-limit 2Gi",
     {"cpu": 0.5, "cpuLimit": 1, "memory": "1Gi", "memoryLimit": "2Gi"}),
    (f"{IMAGE} --command -- python train.py --epochs 3", {"command": ["python", "train.py", "--epochs", "3"]}),
    (f"{IMAGE} -c -- python -c 'print(1)'", {"command": ["python", "-c", "print(1)"]}),
    (f"{IMAGE} --host-network=false --wait-for-submit", {}),
    (f"{IMAGE} --stdin --tty --type Interactive", {"stdin": True, "tty": True, "type": "Interactive"}),
]  # fmt: skip
"""Options, and the members of the submission that they become."""
REFUSED = [
    (f"{IMAGE} -g 0.5", "gpu must be a whole number"),
    (f"{IMAGE} --gpu-portion-request 0.5", "gpu must be a whole number"),
    (f"{IMAGE} --gpu-memory 5G", "gpuMemory is not supported: GPUs are not shared"),
    (f"{IMAGE} --gpu-request-type portion", "gpuMemory is not supported"),
    (f"{IMAGE} --host-ipc", "hostIpc is not supported: the IPC namespace"),
    (f"{IMAGE} --host-network", "hostNetwork is not supported"),
    (f"{IMAGE} --host-pid", "hostPid is not supported"),
    (f"{IMAGE} -v /nfs/home:/home", "volume is not supported: directories of the node"),
    (f"{IMAGE} --volume /a:/b", "volume is not supported"),
    (f"{IMAGE} --nfs-server 10.0.0.1", "nfsServer is not supported"),
    (f"{IMAGE} --git-sync source=https://example.com/x.git", "gitSync is not supported: clone the repository"),
    (f"{IMAGE} --s3 bucket=b,key=k", "s3 is not supported"),
    (f"{IMAGE} --jupyter", "jupyter is not supported"),
    (f"{IMAGE} --port 8888:8888 --service-type nodeport", "ports is not supported: Jobs do not serve ports"),
    (f"{IMAGE} --elastic", "elastic is not supported"),
    (f"{IMAGE} --run-as-user", "runAsUser is not supported: set runAsUid"),
    (f"{IMAGE} --create-home-dir", "createHomeDir is not supported"),
    (f"{IMAGE} --template base", "template is not supported"),
    (f"{IMAGE} --user root", "user is not supported"),
    (f"{IMAGE} --mpi --workers 4", "mpi is not supported"),
    (f"{IMAGE} --node-pools a100", "nodePools"),
    (f"{IMAGE} --memory lots", "memory"),
    (f"{IMAGE} --gpu many", "gpu"),
]
"""Options, and what the user reads; the exit code is 64."""


def body_of(result: Result) -> dict[str, Any]:
    """Return the submission that a preview was rendered from, as the cluster would store it."""
    annotations: dict[str, str] = json.loads(result.out)["metadata"]["annotations"]
    found = next(value for name, value in annotations.items() if name.endswith("submission"))
    submission: dict[str, Any] = json.loads(found)
    return submission


@pytest.mark.parametrize(("line", "expected"), TRANSLATED, ids=lambda value: str(value)[:60])
def test_is_translated(researcher: Callable[..., Result], line: str, expected: dict[str, Any]) -> None:
    """The API accepts the Job, and has the fields that were meant."""
    result = researcher("submit", "--dry-run", *shlex.split(line))

    assert result.code == 0, result.err
    found = body_of(result)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(("line", "reason"), REFUSED, ids=lambda value: str(value)[:60])
def test_is_refused(researcher: Callable[..., Result], line: str, reason: str) -> None:
    """The API's own reason is on stderr, and nothing is submitted."""
    result = researcher("submit", *shlex.split(line))

    assert result.code == 64
    assert result.out == ""
    assert reason in result.err


def test_there_are_thirty() -> None:
    """The table is as large as the promise."""
    assert len(TRANSLATED) + len(REFUSED) >= 30
