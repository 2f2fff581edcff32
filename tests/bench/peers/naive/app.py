"""A peer: Jobs on EKS with Chalice, in the style of its documentation, with one Lambda for all routes.

It uses the official typed client, creates boto3's clients for each request, calls DescribeCluster for the endpoint, and
uses PyJWT's client for keys and pydantic for bodies. Its requests to the cluster and its responses are equivalent.
"""

from __future__ import annotations

import base64
import os
import tempfile
from typing import Any

import boto3
import jwt
from botocore.signers import RequestSigner
from chalice import BadRequestError, Chalice, Response, UnauthorizedError
from kubernetes import client
from pydantic import BaseModel, ConfigDict, ValidationError

app = Chalice(app_name="naive")

BASE = "/researcher/api/v1"


class Job(BaseModel):
    """A Job to run."""

    model_config = ConfigDict(extra="forbid")

    project: str
    name: str
    image: str
    gpu: int = 0


def caller() -> dict[str, Any]:
    """Return the claims of the request's token."""
    header = app.current_request.headers.get("authorization", "")
    token = header.removeprefix("Bearer ")
    try:
        keys = jwt.PyJWKClient(os.environ["TOKEN_ISSUER"] + "/.well-known/jwks.json")
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token, key, algorithms=["RS256"], audience=os.environ["TOKEN_AUDIENCE"], issuer=os.environ["TOKEN_ISSUER"]
        )
    except jwt.PyJWTError as error:
        raise UnauthorizedError(str(error)) from error


def jobs(claims: dict[str, Any]) -> client.BatchV1Api:
    """Return a client of the cluster's Jobs that impersonates the caller."""
    region, cluster = os.environ["AWS_REGION"], os.environ["CLUSTER_NAME"]
    credentials = boto3.client("sts", region_name=region).assume_role(
        RoleArn=os.environ["CLUSTER_ROLE_ARN"],
        RoleSessionName="naive",
        ExternalId=os.environ["CLUSTER_EXTERNAL_ID"],
    )["Credentials"]
    session = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )
    cluster_description = boto3.client("eks", region_name=region).describe_cluster(name=cluster)["cluster"]
    configuration = client.Configuration()
    configuration.host = cluster_description["endpoint"]
    with tempfile.NamedTemporaryFile(delete=False) as authority:
        authority.write(base64.b64decode(cluster_description["certificateAuthority"]["data"]))
    configuration.ssl_ca_cert = authority.name
    configuration.api_key = {"authorization": "Bearer " + token(session, cluster, region)}
    api = client.ApiClient(configuration)
    api.set_default_header("Impersonate-User", "researcher:api")
    api.set_default_header("Impersonate-Extra-Subject", "researcher:" + claims["sub"])
    # The typed client sends one group; a list becomes one header with commas.
    api.set_default_header("Impersonate-Group", "researcher:" + claims["groups"][0])
    return client.BatchV1Api(api)


def token(session: boto3.Session, cluster: str, region: str) -> str:
    """Return an EKS token, created in the common way."""
    sts = session.client("sts", region_name=region)
    signer = RequestSigner(
        sts.meta.service_model.service_id, region, "sts", "v4", session.get_credentials(), session.events
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=region,
        expires_in=60,
        operation_name="",
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def view(job: client.V1Job) -> dict[str, Any]:
    """Return a Job as it is in a response."""
    containers = job.spec.template.spec.containers
    return {
        "name": job.metadata.name,
        "id": job.metadata.uid,
        "images": ", ".join(container.image for container in containers),
        "labels": job.metadata.labels,
        "createdAt": job.metadata.creation_timestamp.isoformat(),
        "active": job.status.active if job.status else None,
    }


@app.route(f"{BASE}/jobs", methods=["POST"])
def submit() -> Response:
    """Create a Job."""
    claims = caller()
    try:
        submission = Job.model_validate(app.current_request.json_body)
    except ValidationError as error:
        raise BadRequestError(str(error)) from error
    resources = client.V1ResourceRequirements(limits={"nvidia.com/gpu": str(submission.gpu)})
    security = client.V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=client.V1Capabilities(drop=["ALL"]),
        run_as_non_root=True,
        run_as_user=1000,
        seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
    )
    container = client.V1Container(name="main", image=submission.image, resources=resources, security_context=security)
    template = client.V1PodTemplateSpec(spec=client.V1PodSpec(restart_policy="Never", containers=[container]))
    body = client.V1Job(
        api_version="batch/v1",
        kind="Job",
        metadata=client.V1ObjectMeta(name=submission.name),
        spec=client.V1JobSpec(template=template),
    )
    created = jobs(claims).create_namespaced_job(f"researcher-{submission.project}", body)
    return Response(view(created), status_code=201)


@app.route(f"{BASE}/jobs/{{project}}", methods=["GET"])
def list_jobs(project: str) -> dict[str, Any]:
    """Return a Project's Jobs."""
    page = jobs(caller()).list_namespaced_job(f"researcher-{project}", limit=100)
    return {"data": [view(job) for job in page.items]}


@app.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["GET"])
def get_job(project: str, name: str) -> dict[str, Any]:
    """Return one Job."""
    return {"data": [view(jobs(caller()).read_namespaced_job(name, f"researcher-{project}"))]}


@app.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["DELETE"])
def delete_job(project: str, name: str) -> dict[str, Any]:
    """Delete a Job."""
    options = client.V1DeleteOptions(propagation_policy="Background")
    jobs(caller()).delete_namespaced_job(name, f"researcher-{project}", body=options)
    return {"name": name, "ok": True}
