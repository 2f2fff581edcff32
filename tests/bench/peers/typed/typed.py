"""A peer: Jobs through the official typed client, as its examples use it, on connections that stay open."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from typing import Any

from kubernetes import client


def connected() -> client.ApiClient:
    """The cluster, as a pod that runs all the time knows it."""
    configuration = client.Configuration()
    configuration.host = os.environ["CLUSTER_ENDPOINT"]
    with tempfile.NamedTemporaryFile(delete=False) as authority:
        authority.write(base64.b64decode(os.environ["CLUSTER_CA"]))
    configuration.ssl_ca_cert = authority.name
    configuration.api_key = {"authorization": "Bearer " + os.environ.get("KUBERNETES_TOKEN", "")}
    return client.ApiClient(configuration)


def shown(job: client.V1Job, pods: list[client.V1Pod] = ()) -> dict[str, Any]:
    """A Job as it is answered."""
    containers = job.spec.template.spec.containers
    return {
        "name": job.metadata.name,
        "id": job.metadata.uid,
        "images": ", ".join(container.image for container in containers),
        "labels": job.metadata.labels,
        "createdAt": job.metadata.creation_timestamp.isoformat(),
        "active": job.status.active if job.status else None,
        "nodes": [pod.spec.node_name for pod in pods],
    }


def walk(asked: dict[str, str]) -> int:
    """How many Jobs the list has; it is read whole."""
    namespace = asked["path"].split("/")[5]
    found = client.BatchV1Api(API).list_namespaced_job(namespace).items
    return json.dumps({"data": [shown(job) for job in found]}).count('"images":')


API = connected()
