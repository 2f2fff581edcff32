"""Jobs, statuses, pods and events that kubectl, or a user with more permissions, may write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib.domain.labels import (
    ANNOUNCED_LABEL,
    JOB_TYPE_LABEL,
    KEEP_LABEL,
    MANAGED_BY_LABEL,
    MANAGED_BY_VALUE,
    PROJECT_LABEL,
    REQUEST_HASH_ANNOTATION,
    RETENTION_ANNOTATION,
    SUBMISSION_ANNOTATION,
    USER_LABEL,
)
from tests.product.by_hand import by_hand

if TYPE_CHECKING:
    from random import Random

Document = dict[str, Any]

TEXTS = ["", "a", "-1", "<>&\u2028\u2029", '"\\"', "\x01\x7f\n\r\t", "\u202e\U0001f600", "{}", "a" * 5000, "%s{0}$(id)"]
TIMES = [
    "2020-01-01T00:00:00Z", "2020-01-01T23:59:59+14:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:01Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z",
]  # fmt: skip
SPANS = [(TIMES[0], TIMES[0]), (TIMES[0], TIMES[5]), (TIMES[2], TIMES[6]), (TIMES[4], TIMES[7]), (TIMES[6], TIMES[6])]
"""Start and end of a Job, which does not end before it starts."""
COUNTS = [0, 1, 2, 7, 100_001, 2**31 - 1]
AMOUNTS = ["0", "1", "8", "1k", "1e3", "999999999", "1Mi", "9e15"]
LABELS = [
    (MANAGED_BY_LABEL, [MANAGED_BY_VALUE, MANAGED_BY_VALUE, MANAGED_BY_VALUE, "kubectl"]),
    (JOB_TYPE_LABEL, ["Interactive", "odd", ""]), (USER_LABEL, ["b", ""]),
    (KEEP_LABEL, ["false", "true", "odd"]), (ANNOUNCED_LABEL, ["true", "odd"]),
    (PROJECT_LABEL, ["team-b", ""]), ("team", ["a"]),
    ("kueue.x-k8s.io/queue-name", ["q", ""]), ("a" * 63, ["b" * 63]), ("x." * 126 + "x/y", [""]),
]  # fmt: skip
SUBMISSIONS = [
    "{}", "[]", "null", "5", "1e999", "{", '{"job": {}}', '{"environment": 5}', '{"a": 1, "a": 2}', '"\\ud800"',
    '{"image": ' + "9" * 5000 + "}", json.dumps({"environment": {"A": {"value": {"b": []}}}, "command": [[]]}),
    '{"a":' * 9_997 + "1" + "}" * 9_997,
]  # fmt: skip
RETENTIONS = ["1s", "0", "-1s", "30d", "31d", "999999999d", "9" * 5000, "", "s", "\u0661s"]


def hostile_job(random: Random, name: str) -> Document:
    """Return a Job of team-a that is unusual in one to four ways; its name may be longer than *name*."""
    metadata: Document = {
        "name": name,
        "labels": {MANAGED_BY_LABEL: MANAGED_BY_VALUE},
        "annotations": {RETENTION_ANNOTATION: "1s"},
    }
    spec: Document = {"suspend": True}
    job = by_hand(metadata, **spec)
    for change in random.sample(_CHANGES, random.randint(1, 4)):
        change(random, job)
    return job


def manage_elsewhere(random: Random, job: Document) -> None:
    """Set `managedBy`, so that the Job controller ignores *job*, and its status remains as it is written."""
    job["spec"] |= {"managedBy": "example.com/unknown", "suspend": random.choice([True, False])}


def hostile_status(random: Random) -> Document:
    """Return the status of a Job, usually a finished one, that passes the cluster's validation."""
    kinds = random.choice([["SuccessCriteriaMet", "Complete"], ["FailureTarget", "Failed"], ["Suspended"]])
    texts = {"reason": random.choice(["Odd", "DeadlineExceeded", "BackoffLimitExceeded"]), "message": _text(random)}
    others = ["Odd"] * random.choice([0, 0, 1, 300])
    conditions = [{"type": kind, "status": "True", **texts, **_times(random)} for kind in [*others, *kinds]]
    counts = {name: random.choice(COUNTS) for name in ("succeeded", "failed") if random.random() < 0.5}
    start, end = random.choice(SPANS)
    if "Suspended" in kinds:
        return {**counts, "active": random.choice(COUNTS), "startTime": start, "conditions": conditions}
    completed = {"completionTime": end} if "Complete" in kinds else {}
    return {**counts, **completed, "startTime": start, "conditions": conditions}


def hostile_pod(random: Random, job: Document, number: int) -> Document:
    """Return a pod that claims to belong to *job* and that no scheduler handles."""
    name, owner = job["metadata"]["name"], {"apiVersion": "batch/v1", "kind": "Job", "uid": job["metadata"]["uid"]}
    owners = [
        {**owner, "name": name},
        {**owner, "name": "other", "uid": random.choice(["other", "\u2028<", "u" * 5000])},
    ]
    labels = {"batch.kubernetes.io/job-name": name[:63].strip("-.")}
    annotations = {
        "batch.kubernetes.io/job-completion-index": random.choice(["", "7", "-1", "9" * 5000, "\u0663", "x"])
    }
    pod = job["spec"]["template"]["spec"]
    return {
        "metadata": {"name": f"{name[:50].strip('-.')}-{number}", "labels": labels, "annotations": annotations,
                     "ownerReferences": random.sample(owners, random.randint(1, 2))},
        "spec": {"restartPolicy": "Never", "containers": pod["containers"], "schedulerName": "none",
                 "securityContext": pod.get("securityContext", {})},
    }  # fmt: skip


def hostile_pod_status(random: Random) -> Document:
    """Return the status of a pod, with unusual strings wherever Kubernetes allows any string."""
    end = {"exitCode": random.choice([0, 1, 137, -1, 2**31 - 1, -(2**31)]), "reason": _text(random),
           "message": _text(random), "startedAt": random.choice(TIMES), "finishedAt": random.choice(TIMES)}  # fmt: skip
    states = [
        {"terminated": end},
        {"waiting": {"reason": _text(random)}},
        {"running": {"startedAt": random.choice(TIMES)}},
        {},
    ]
    status = {"name": random.choice(["main", "other"]), "ready": False, "restartCount": random.choice([0, 2**31 - 1]),
              "image": _text(random), "imageID": _text(random)}  # fmt: skip
    statuses = [{**status, "state": random.choice(states), "lastState": random.choice(states)} for _ in range(2)]
    condition = {"type": random.choice(["PodScheduled", "Ready"]), "status": "False", "reason": _text(random)}
    return {"phase": random.choice(["Pending", "Running", "Succeeded", "Failed", "Unknown", ""]),
            "reason": _text(random), "startTime": random.choice(TIMES), "containerStatuses": statuses,
            "conditions": [{**condition, "lastTransitionTime": random.choice(TIMES)}]}  # fmt: skip


def hostile_event(random: Random, job: Document, number: int) -> Document:
    """Return an event about *job*."""
    about = {"kind": random.choice(["Job", "Pod", _text(random)]), "namespace": "researcher-team-a",
             "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}  # fmt: skip
    message = random.choice(["Created pod: a\u2028", "Created pod: " + "a" * 300, 'pods "', _text(random)])
    return {"metadata": {"name": f"odd-{number}"}, "involvedObject": about, "message": message, "type": _text(random),
            "reason": random.choice(["SuccessfulCreate", "FailedCreate", "Preempted", _text(random)]),
            "count": random.choice([0, -1, 2**31 - 1]), "firstTimestamp": random.choice(TIMES),
            "lastTimestamp": random.choice(TIMES)}  # fmt: skip


def _text(random: Random) -> str:
    return random.choice(TEXTS)


def _times(random: Random) -> Document:
    return {name: random.choice(TIMES) for name in ("lastTransitionTime", "lastProbeTime")}


def _label(random: Random, job: Document) -> None:
    for key, values in random.sample(LABELS, random.randint(1, 5)):
        job["metadata"]["labels"][key] = random.choice(values)
    if random.random() < 0.1:
        job["metadata"]["labels"] |= {f"l-{number}": "v" * 63 for number in range(500)}


def _annotate(random: Random, job: Document) -> None:
    annotations = {
        SUBMISSION_ANNOTATION: random.choice(SUBMISSIONS), RETENTION_ANNOTATION: random.choice(RETENTIONS),
        REQUEST_HASH_ANNOTATION: _text(random),
        USER_LABEL: random.choice(TEXTS) * random.choice([1, 20]), "a": _text(random),
    }  # fmt: skip
    job["metadata"]["annotations"] |= dict(random.sample([*annotations.items()], random.randint(1, 4)))


def _manage(random: Random, job: Document) -> None:
    fields: Document = {}
    for _ in range(random.choice([1, 50, 150])):
        fields = {"f:a": fields}
    entry = {"manager": "m", "operation": "Update", "apiVersion": "batch/v1", "fieldsType": "FieldsV1"}
    job["metadata"]["managedFields"] = [{**entry, "fieldsV1": fields, "time": random.choice(TIMES)}]


def _name(random: Random, job: Document) -> None:
    name = job["metadata"]["name"]
    if random.random() < 0.5:
        job["metadata"]["name"] = f"{name}.{name}"
        return
    job["metadata"]["name"] = name + "x" * random.choice([1, 40, 100, 253 - len(name)])
    labels = {"run": "odd"}
    job["spec"] |= {"manualSelector": True, "selector": {"matchLabels": random.choice([labels, labels, {}])}}
    job["spec"]["template"]["metadata"] = {"labels": labels}


def _own(random: Random, job: Document) -> None:
    owner = {"apiVersion": "example.com/v1", "kind": "Nothing", "name": "n"}
    count = random.choice([1, 1, 300])
    job["metadata"]["ownerReferences"] = [{**owner, "uid": f"{number}"} for number in range(count)]


def _finalize(_random: Random, job: Document) -> None:
    job["metadata"]["finalizers"] = ["example.com/stays"]


def _count(random: Random, job: Document) -> None:
    names = ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds"]
    job["spec"] |= {name: random.choice(COUNTS) for name in random.sample(names, random.randint(1, 4))}
    job["spec"] |= random.choice([{}, {"completionMode": "Indexed", "parallelism": 1, "completions": 9}])


def _contain(random: Random, job: Document) -> None:
    pod = job["spec"]["template"]["spec"]
    (first,) = pod["containers"]
    pod["containers"] = [
        {**first, "name": f"c-{number}", "image": random.choice(TEXTS[1:3] + TEXTS[7:]) * random.choice([1, 1, 40]),
         "resources": {"limits": {"nvidia.com/gpu": random.choice(AMOUNTS), "cpu": "1"}},
         "env": [{"name": "A", "value": _text(random)}]}
        for number in range(random.choice([1, 2, 12, 200]))
    ]  # fmt: skip


_CHANGES = [_label, _annotate, _manage, _name, _own, _finalize, _count, _contain]
