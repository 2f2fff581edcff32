"""A peer: Jobs through the official typed client, in the style of its examples, on keep-alive connections."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from typing import Any

from kubernetes import client


def connect() -> client.ApiClient:
    """Return a client of the cluster, as in a pod that runs permanently."""
    configuration = client.Configuration()
    configuration.host = os.environ["CLUSTER_ENDPOINT"]
    with tempfile.NamedTemporaryFile(delete=False) as authority:
        authority.write(base64.b64decode(os.environ["CLUSTER_CA"]))
    configuration.ssl_ca_cert = authority.name
    configuration.api_key = {"authorization": "Bearer " + os.environ.get("KUBERNETES_TOKEN", "")}
    return client.ApiClient(configuration)


def view(job: client.V1Job, pods: list[client.V1Pod] = ()) -> dict[str, Any]:
    """Return a Job as it is in a response."""
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


def walk(request: dict[str, str]) -> int:
    """Return the number of Jobs in the list, which is read in one request."""
    namespace = request["path"].split("/")[5]
    jobs = client.BatchV1Api(API).list_namespaced_job(namespace).items
    return json.dumps({"data": [view(job) for job in jobs]}).count('"images":')


API = connect()
