"""Lists of thousands of Jobs in the format of an API server, prepared so that no client waits for the server."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from chalicelib.domain.manifest.job import render
from infra.local.local_cluster import SomeCluster
from infra.local.wire import HttpResponse
from tests.cluster.fault_proxy import FaultProxy, Faulty
from tests.support.builders import ALICE, identity, submission

if TYPE_CHECKING:
    from infra.local.wire import Headers

TIME = "2026-11-24T12:00:00Z"

_LIST = re.compile(r"/apis/batch/v1/namespaces/(researcher-long-(\d+))/jobs")


class LongLists(Faulty[SomeCluster]):
    """A cluster whose Projects `long-<n>` have n finished Jobs."""

    def make_proxy(self, url: str, ca_pem: str) -> FaultProxy:
        """Return a proxy that answers these lists itself."""
        return _ListProxy(url, ca_pem, rate=0.0)


class _ListProxy(FaultProxy):
    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        path, _, query = target.partition("?")
        match = _LIST.fullmatch(path)
        if match is None:
            return self.forward(method, target, headers, body)
        query_values = {name: values[0] for name, values in parse_qs(query).items()}
        size = int(match[2])
        page = job_list(match[1], size, int(query_values.get("continue", 0)), int(query_values.get("limit", size)))
        return HttpResponse(200, [("Content-Type", "application/json")], page)


@cache
def job_list(namespace: str, size: int, start: int, limit: int) -> bytes:
    """Return the JSON of at most *limit* Jobs from *start*, of *size* in all."""
    end = min(size, start + limit)
    meta = {"resourceVersion": "4711"} | ({"continue": str(end)} if end < size else {})
    head = json.dumps({"kind": "JobList", "apiVersion": "batch/v1", "metadata": meta}, separators=(",", ":"))
    jobs = ",".join(_job(namespace).replace("#", f"{number:06}") for number in range(start, end))
    return f'{head[:-1]},"items":[{jobs}]}}'.encode()


@cache
def _job(namespace: str) -> str:
    """Return the JSON of a finished Job, with # in place of its number."""
    submitted = submission(
        command=["torchrun", "--nproc-per-node", "4", "train.py"],
        gpu=4,
        memory="64Gi",
        environment={f"SETTING_{number}": "value" * 29 for number in range(6)},
    )
    manifest = render(submitted, ALICE, identity("train-#"))
    manifest["metadata"] |= {"namespace": namespace, "uid": "32201782-a525-4939-9dcb-df6654#"}
    manifest["metadata"] |= {"resourceVersion": "4711", "creationTimestamp": TIME, "generation": 1}
    submitted_fields = {name: manifest[name] for name in ("metadata", "spec")}
    manifest["status"] = {
        "conditions": [_condition("SuccessCriteriaMet"), _condition("Complete")],
        "startTime": TIME,
        "completionTime": TIME,
        "succeeded": 1,
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }
    fields = {"status": manifest["status"]}
    manifest["metadata"]["managedFields"] = [
        _managed_fields("researcher-api", submitted_fields),
        _managed_fields("kube-controller-manager", fields),
    ]
    return json.dumps(manifest, separators=(",", ":"))


def _condition(kind: str) -> dict[str, str]:
    fields = {
        "status": "True",
        "reason": "CompletionsReached",
        "message": "Reached expected number of succeeded pods",
    }
    return {"type": kind, "lastProbeTime": TIME, "lastTransitionTime": TIME, **fields}


def _managed_fields(manager: str, fields: object) -> dict[str, object]:
    """Return the managedFields entry of *manager* for *fields*."""
    entry = {"manager": manager, "operation": "Update", "apiVersion": "batch/v1", "time": TIME}
    return {**entry, "fieldsType": "FieldsV1", "fieldsV1": _field_set(fields)}


def _field_set(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return {f"f:{name}": _field_set(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {f'k:{{"name":"{number}"}}': _field_set(inner) for number, inner in enumerate(value)}
    return {}
