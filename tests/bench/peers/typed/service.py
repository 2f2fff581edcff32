"""A peer: a FastAPI service on the official typed client, in a pod that always runs.

It verifies the same tokens, asks the cluster the same things as the caller, and answers as much. It is asked in its own
process by ASGI, as our functions are by their event, so that neither pays for a server's work on HTTP.
"""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Any
from urllib.parse import urlencode

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from kubernetes import client
from pydantic import BaseModel, ConfigDict
from typed import connected, shown

app = FastAPI()
BASE = "/researcher/api/v1"
KEYS = jwt.PyJWKClient(os.environ["TOKEN_ISSUER"] + "/.well-known/jwks.json")
LOOP = asyncio.new_event_loop()


class Job(BaseModel):
    """A Job to run."""

    model_config = ConfigDict(extra="forbid")

    project: str
    name: str
    image: str
    gpu: int = 0
    queue: str = ""


def caller(authorization: Annotated[str, Header()]) -> dict[str, Any]:
    """The claims of the request's token."""
    token = authorization.removeprefix("Bearer ")
    try:
        key = KEYS.get_signing_key_from_jwt(token)
        issuer = os.environ["TOKEN_ISSUER"]
        return jwt.decode(
            token, key, algorithms=["RS256"], audience=os.environ["TOKEN_AUDIENCE"], issuer=issuer, leeway=30
        )
    except jwt.PyJWTError as error:
        raise HTTPException(401, str(error)) from error


Claims = Annotated[dict[str, Any], Depends(caller)]
CLUSTER = connected()
"""One for all callers: threads of a service would need one each, for its headers."""


def acting_as(claims: dict[str, Any], user: str = "researcher:api") -> client.ApiClient:
    """The cluster, which takes the next call as the caller's."""
    CLUSTER.default_headers["Impersonate-User"] = user
    CLUSTER.default_headers["Impersonate-Extra-Subject"] = "researcher:" + claims["sub"]
    CLUSTER.default_headers["Impersonate-Group"] = "researcher:" + claims["groups"][0]
    if user != "researcher:api":
        del CLUSTER.default_headers["Impersonate-Group"]
    return CLUSTER


def pod_of(asked: Job) -> client.V1PodSpec:
    """What the Job runs."""
    resources = client.V1ResourceRequirements(limits={"nvidia.com/gpu": str(asked.gpu)})
    security = client.V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=client.V1Capabilities(drop=["ALL"]),
        run_as_non_root=True,
        run_as_user=1000,
        seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
    )
    container = client.V1Container(name="main", image=asked.image, resources=resources, security_context=security)
    return client.V1PodSpec(restart_policy="Never", containers=[container])


@app.post(f"{BASE}/jobs", status_code=201)
def submit(asked: Job, claims: Claims) -> dict[str, Any]:
    """Makes a Job whose pod the cluster would take."""
    namespace, spec = f"researcher-{asked.project}", pod_of(asked)
    if os.environ["PREFLIGHT"] != "off":
        meta = client.V1ObjectMeta(generate_name=f"{asked.name}-")
        pod = client.V1Pod(api_version="v1", kind="Pod", metadata=meta, spec=spec)
        core = client.CoreV1Api(acting_as(claims, "researcher:preflight"))
        core.create_namespaced_pod(namespace, pod, dry_run="All")
    body = client.V1Job(
        api_version="batch/v1",
        kind="Job",
        metadata=client.V1ObjectMeta(name=asked.name),
        spec=client.V1JobSpec(suspend=bool(asked.queue), template=client.V1PodTemplateSpec(spec=spec)),
    )
    return shown(client.BatchV1Api(acting_as(claims)).create_namespaced_job(namespace, body))


@app.get(f"{BASE}/jobs/{{project}}")
def list_jobs(project: str, claims: Claims, limit: int = 100) -> dict[str, Any]:
    """A page of a Project's Jobs."""
    namespace, cluster = f"researcher-{project}", acting_as(claims)
    found = client.BatchV1Api(cluster).list_namespaced_job(namespace, limit=limit).items
    names = ",".join(job.metadata.name for job in found)
    selector = f"batch.kubernetes.io/job-name in ({names})"
    pods = client.CoreV1Api(cluster).list_namespaced_pod(namespace, label_selector=selector).items
    by_job: dict[str, list[Any]] = {}
    for pod in pods:
        by_job.setdefault(pod.metadata.labels["batch.kubernetes.io/job-name"], []).append(pod)
    return {"data": [shown(job, by_job.get(job.metadata.name, [])) for job in found]}


@app.get(f"{BASE}/jobs/{{project}}/{{name}}")
def get_job(project: str, name: str, claims: Claims) -> dict[str, Any]:
    """One Job."""
    namespace, cluster = f"researcher-{project}", acting_as(claims)
    job = client.BatchV1Api(cluster).read_namespaced_job(name, namespace)
    selector = f"batch.kubernetes.io/job-name={name}"
    pods = client.CoreV1Api(cluster).list_namespaced_pod(namespace, label_selector=selector).items
    return {"data": [shown(job, pods)]}


@app.delete(f"{BASE}/jobs/{{project}}/{{name}}")
def delete_job(project: str, name: str, claims: Claims) -> dict[str, Any]:
    """Deletes a Job."""
    options = client.V1DeleteOptions(propagation_policy="Background")
    client.BatchV1Api(acting_as(claims)).delete_namespaced_job(name, f"researcher-{project}", body=options)
    return {"name": name, "ok": True}


def handle(event: dict[str, Any]) -> int:
    """The status of the answer to the request of *event*."""
    return LOOP.run_until_complete(_asked(event))


async def _asked(event: dict[str, Any]) -> int:
    path, query = event["path"], urlencode(event["queryStringParameters"] or {})
    body = (event["body"] or "").encode()
    lines = [(name.lower().encode(), value.encode()) for name, value in event["headers"].items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": event["httpMethod"],
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": lines, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "",
    }  # fmt: skip
    answers = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    await app(scope, receive, send)
    return answers[0]["status"]
