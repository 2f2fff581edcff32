"""A peer: a FastAPI service with the official typed client, in a pod that runs permanently.

It verifies the same tokens, sends the same requests to the cluster as the caller, and its responses are equivalent. It
is called in its own process through ASGI, as our functions are through events, so neither parses HTTP.
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
from typed import connect, view

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
    """Return the claims of the request's token."""
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
CLUSTER = connect()
"""One client for all callers: with threads, each thread would need its own, because of the headers."""


def impersonate(claims: dict[str, Any], user: str = "researcher:api") -> client.ApiClient:
    """Return the client of the cluster, which impersonates the caller."""
    CLUSTER.default_headers["Impersonate-User"] = user
    CLUSTER.default_headers["Impersonate-Extra-Subject"] = "researcher:" + claims["sub"]
    CLUSTER.default_headers["Impersonate-Group"] = "researcher:" + claims["groups"][0]
    if user != "researcher:api":
        del CLUSTER.default_headers["Impersonate-Group"]
    return CLUSTER


def pod_of(submission: Job) -> client.V1PodSpec:
    """Return the pod of the Job."""
    resources = client.V1ResourceRequirements(limits={"nvidia.com/gpu": str(submission.gpu)})
    security = client.V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=client.V1Capabilities(drop=["ALL"]),
        run_as_non_root=True,
        run_as_user=1000,
        seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
    )
    container = client.V1Container(name="main", image=submission.image, resources=resources, security_context=security)
    return client.V1PodSpec(restart_policy="Never", containers=[container])


@app.post(f"{BASE}/jobs", status_code=201)
def submit(submission: Job, claims: Claims) -> dict[str, Any]:
    """Create a Job whose pod the cluster accepts in a dry run."""
    namespace, spec = f"researcher-{submission.project}", pod_of(submission)
    if os.environ["PREFLIGHT"] != "off":
        meta = client.V1ObjectMeta(generate_name=f"{submission.name}-")
        pod = client.V1Pod(api_version="v1", kind="Pod", metadata=meta, spec=spec)
        core = client.CoreV1Api(impersonate(claims, "researcher:preflight"))
        core.create_namespaced_pod(namespace, pod, dry_run="All")
    body = client.V1Job(
        api_version="batch/v1",
        kind="Job",
        metadata=client.V1ObjectMeta(name=submission.name),
        spec=client.V1JobSpec(suspend=bool(submission.queue), template=client.V1PodTemplateSpec(spec=spec)),
    )
    return view(client.BatchV1Api(impersonate(claims)).create_namespaced_job(namespace, body))


@app.get(f"{BASE}/jobs/{{project}}")
def list_jobs(project: str, claims: Claims, limit: int = 100) -> dict[str, Any]:
    """Return a page of a Project's Jobs."""
    namespace, cluster = f"researcher-{project}", impersonate(claims)
    jobs = client.BatchV1Api(cluster).list_namespaced_job(namespace, limit=limit).items
    names = ",".join(job.metadata.name for job in jobs)
    selector = f"batch.kubernetes.io/job-name in ({names})"
    pods = client.CoreV1Api(cluster).list_namespaced_pod(namespace, label_selector=selector).items
    by_job: dict[str, list[Any]] = {}
    for pod in pods:
        by_job.setdefault(pod.metadata.labels["batch.kubernetes.io/job-name"], []).append(pod)
    return {"data": [view(job, by_job.get(job.metadata.name, [])) for job in jobs]}


@app.get(f"{BASE}/jobs/{{project}}/{{name}}")
def get_job(project: str, name: str, claims: Claims) -> dict[str, Any]:
    """Return one Job."""
    namespace, cluster = f"researcher-{project}", impersonate(claims)
    job = client.BatchV1Api(cluster).read_namespaced_job(name, namespace)
    selector = f"batch.kubernetes.io/job-name={name}"
    pods = client.CoreV1Api(cluster).list_namespaced_pod(namespace, label_selector=selector).items
    return {"data": [view(job, pods)]}


@app.delete(f"{BASE}/jobs/{{project}}/{{name}}")
def delete_job(project: str, name: str, claims: Claims) -> dict[str, Any]:
    """Delete a Job."""
    options = client.V1DeleteOptions(propagation_policy="Background")
    client.BatchV1Api(impersonate(claims)).delete_namespaced_job(name, f"researcher-{project}", body=options)
    return {"name": name, "ok": True}


def handle(event: dict[str, Any]) -> int:
    """Return the status of the response to the request in *event*."""
    return LOOP.run_until_complete(_call(event))


async def _call(event: dict[str, Any]) -> int:
    path, query = event["path"], urlencode(event["queryStringParameters"] or {})
    body = (event["body"] or "").encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in event["headers"].items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": event["httpMethod"],
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "",
    }  # fmt: skip
    messages = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return messages[0]["status"]
