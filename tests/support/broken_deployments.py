"""Ways to break a deployment, each made for real, and the checks of `make doctor` that must fail then."""

from __future__ import annotations

import base64
import json
import socket
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.kubernetes.access import API_GROUP
from infra.local.aws_requests import ACCOUNT
from infra.local.eks_tokens import AccessEntry
from infra.local.http_server import Handler, LoopbackServer
from infra.local.local_stack import BUCKET
from infra.local.sts_external_id import trust_policy
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import Shape, server_identity
from tests.support.operator_deployment import ALARM, ROLE, RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.local.wire import Headers
    from tests.support.operator_deployment import OperatorDeployment

    Make = Callable[[OperatorDeployment, ExitStack], object]

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
TEAM_A = "researcher-team-a"
ANYONE = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
)
EXPIRED = (timedelta(days=-30), timedelta(hours=-1))


class Broken(NamedTuple):
    """A broken set-up: what breaks it, the checks that fail, and what a finding says, among others."""

    name: str
    make: Make
    failed: set[str]
    says: str


class _NoAnswer(Handler):
    """A server that is not an API server."""

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Answer as a web server that knows no path."""
        del method, target, headers, body
        return HttpResponse(404, [], b"not here")


def _server(opened: ExitStack, shape: Shape) -> tuple[str, str]:
    """Start a server with a certificate of *shape*, and return its URL, and its authority in base64."""
    identity = server_identity(shape)
    server = LoopbackServer(_NoAnswer(), context=identity.context)
    opened.callback(server.close)
    return server.url, base64.b64encode(identity.ca_pem.encode()).decode()


def _serve_certificate(shape: Shape) -> Make:
    def make(broken: OperatorDeployment, opened: ExitStack) -> None:
        url, authority = _server(opened, shape)
        broken.configure(clusterAuthorities=[authority])
        broken.set("CLUSTER_ENDPOINT", url)

    return make


def _silent_endpoint(broken: OperatorDeployment, opened: ExitStack) -> None:
    """Make the functions use an address that drops packets, as a security group or a private endpoint does."""
    silent = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    address = silent.getsockname()
    for _ in range(4):
        filling = opened.enter_context(socket.socket())
        filling.setblocking(False)
        filling.connect_ex(address)
    broken.set("CLUSTER_ENDPOINT", f"https://127.0.0.1:{address[1]}")


def _wrong_authority(broken: OperatorDeployment, opened: ExitStack) -> None:
    del opened
    broken.configure(clusterAuthorities=[server_identity().ca_pem])


def _issuer(url: str, **fields: object) -> Make:
    """Make the functions trust another issuer besides the one that works."""
    added = {"issuer": url, "audiences": ["researcher"], "prefix": "other:", **fields}

    def make(broken: OperatorDeployment, opened: ExitStack) -> None:
        del opened
        (good,) = broken.stack.configuration["tokenIssuers"]
        broken.configure(tokenIssuers=[good | {"prefix": "good:"}, added])

    return make


def _private_issuer(shape: Shape) -> Make:
    def make(broken: OperatorDeployment, opened: ExitStack) -> None:
        url, authority = _server(opened, shape)
        _issuer(url, authorities=[authority])(broken, opened)

    return make


def _setting(name: str, value: str) -> Make:
    return lambda broken, _: broken.set(name, value)


def _cluster(**changes: object) -> Make:
    return lambda broken, _: broken.account.cluster.update(changes)


def _stack(**changes: object) -> Make:
    return lambda broken, _: broken.account.stack.update(changes)


def _entry(**changes: object) -> Make:
    return lambda broken, _: broken.change_entry(**changes)


def _delete(*paths: str) -> Make:
    return lambda broken, _: [broken.admin.delete(path) for path in paths]


def _patch(path: str, change: dict[str, Any]) -> Make:
    return lambda broken, _: broken.admin.patch(path, change)


def _aws(service: str, operation: str, **arguments: object) -> Make:
    return lambda broken, _: getattr(broken.aws(service), operation)(**arguments)


def _trust(policy: str) -> Make:
    def make(broken: OperatorDeployment, opened: ExitStack) -> None:
        iam = broken.aws("iam")
        good = iam.get_role(RoleName="researcher-api")["Role"]["AssumeRolePolicyDocument"]
        opened.callback(iam.update_assume_role_policy, RoleName="researcher-api", PolicyDocument=json.dumps(good))
        iam.update_assume_role_policy(RoleName="researcher-api", PolicyDocument=policy)

    return make


def _access_policy(broken: OperatorDeployment, opened: ExitStack) -> None:
    del opened
    arn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    broken.account.policies = {ROLE: [{"policyArn": arn}]}
    broken.stack.access_entries[ROLE] = AccessEntry("researcher-api:x", (API_GROUP, "system:masters"))


def _failed_upload(broken: OperatorDeployment, opened: ExitStack) -> None:
    sqs, url = broken.aws("sqs"), broken.stack.failures_url
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    opened.callback(sqs.purge_queue, QueueUrl=url)


def _policy_name(broken: OperatorDeployment) -> str:
    policies = broken.admin.get(f"{ADMISSION}/validatingadmissionpolicies")["items"]
    return min(str(each["metadata"]["name"]) for each in policies if each["metadata"]["name"].startswith("researcher"))


def _stale_policy(broken: OperatorDeployment, opened: ExitStack) -> None:
    del opened
    path = f"{ADMISSION}/validatingadmissionpolicies/{_policy_name(broken)}"
    broken.admin.patch(path, {"spec": {"validations": [{"expression": "true"}]}})


def _unbound_policy(broken: OperatorDeployment, opened: ExitStack) -> None:
    del opened
    bindings = broken.admin.get(f"{ADMISSION}/validatingadmissionpolicybindings")["items"]
    (binding,) = [each for each in bindings if each["spec"]["policyName"] == _policy_name(broken)]
    broken.admin.delete(f"{ADMISSION}/validatingadmissionpolicybindings/{binding['metadata']['name']}")


def _without_policies(broken: OperatorDeployment, opened: ExitStack) -> None:
    del opened
    path = f"/apis/networking.k8s.io/v1/namespaces/{TEAM_A}/networkpolicies"
    for each in broken.admin.get(path)["items"]:
        broken.admin.delete(f"{path}/{each['metadata']['name']}")


def _unbind(role: str) -> Make:
    def make(broken: OperatorDeployment, opened: ExitStack) -> None:
        del opened
        path = f"{RBAC}/namespaces/{TEAM_A}/rolebindings"
        for each in broken.admin.get(path)["items"]:
            if each["roleRef"]["name"] == role:
                broken.admin.delete(f"{path}/{each['metadata']['name']}")

    return make


def _foreign_group(broken: OperatorDeployment, opened: ExitStack) -> None:
    """Bind another group by hand, as with kubectl, without the right to impersonate it."""
    subject = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "researcher:by-hand"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "researcher-submitter"}
    path = f"{RBAC}/namespaces/{TEAM_A}/rolebindings"
    broken.admin.create(path, {"metadata": {"name": "by-hand"}, "subjects": [subject], "roleRef": role})
    opened.callback(broken.admin.delete, f"{path}/by-hand")


def _nodes(hops: int | None) -> Make:
    return lambda broken, _: broken.add_node_group("old-nodes", hops)


BASE, PROJECTS, CONNECTION, ISSUER = {"base-manifests"}, {"projects"}, {"cluster-connection"}, {"token-issuer"}
BROKEN = (
    Broken("the authority of another cluster", _wrong_authority, CONNECTION, "tls_verification_unknown"),
    Broken(
        "an expired certificate",
        _serve_certificate(Shape(server_valid=EXPIRED)),
        CONNECTION,
        "tls_verification_expired",
    ),
    Broken("another host's certificate", _serve_certificate(Shape(hosts=("x.test",))), CONNECTION, "wrong_host"),
    Broken("a server that is not a cluster", _serve_certificate(Shape()), CONNECTION, "status_404"),
    Broken(
        "an endpoint that nothing listens on",
        _setting("CLUSTER_ENDPOINT", "https://127.0.0.1:9"),
        CONNECTION,
        "connect_failed",
    ),
    Broken("an endpoint that drops packets", _silent_endpoint, CONNECTION, "connect_timeout"),
    Broken(
        "an endpoint without an address",
        _setting("CLUSTER_ENDPOINT", "https://cluster.invalid"),
        CONNECTION,
        "name_resolution",
    ),
    Broken(
        "the name of another cluster",
        _setting("CLUSTER_NAME", "another"),
        CONNECTION,
        "refuses the functions' token",
    ),
    Broken(
        "a role that does not exist",
        _setting("CLUSTER_ROLE_ARN", f"arn:aws:iam::{ACCOUNT}:role/missing"),
        {"assume-role"},
        "cannot assume",
    ),
    Broken("a wrong ExternalId", _setting("CLUSTER_EXTERNAL_ID", "another"), {"assume-role"}, "cannot assume"),
    Broken("a role that trusts another ExternalId", _trust(trust_policy(ACCOUNT, "x")), {"assume-role"}, "cannot"),
    Broken(
        "a closed port of the token issuer",
        _issuer("http://127.0.0.1:9"),
        ISSUER,
        "issuer: connect_failed (http://127.0.0.1:9)",
    ),
    Broken(
        "an expired certificate of a private token issuer",
        _private_issuer(Shape(server_valid=EXPIRED)),
        ISSUER,
        "issuer: tls_verification_expired (",
    ),
    Broken(
        "a token issuer that is another server",
        _private_issuer(Shape()),
        ISSUER,
        "issuer: status_404 (",
    ),
    Broken(
        "no access entry",
        lambda broken, _: broken.remove_entry(),
        {"access-entry", "cluster-connection"},
        "has no access entry",
    ),
    Broken(
        "an access entry without a group",
        _entry(kubernetesGroups=[]),
        {"access-entry", "access-entry-groups"},
        "not in the group",
    ),
    Broken(
        "an access entry with a group too many",
        _entry(kubernetesGroups=[API_GROUP, "platform"]),
        {"access-entry"},
        "alone",
    ),
    Broken("an access entry with another user", _entry(username="admin"), {"access-entry"}, "user name"),
    Broken("rights of its own", _access_policy, {"access-entry", "own-rights"}, "without impersonation"),
    Broken(
        "the binding of the API's group is lost",
        _delete(f"{RBAC}/clusterrolebindings/{API_GROUP}"),
        {*BASE, "impersonation"},
        "may not impersonate",
    ),
    Broken(
        "an old ClusterRole",
        _patch(f"{RBAC}/clusterroles/researcher-submitter", {"rules": []}),
        BASE,
        "ClusterRole researcher-submitter is not that of this version",
    ),
    Broken("a stale policy", _stale_policy, BASE, "is not that of this version"),
    Broken("a policy that nothing binds", _unbound_policy, BASE, "is missing"),
    Broken("a Project without submitters", _unbind("researcher-submitter"), PROJECTS, "no RoleBinding"),
    Broken("a Project without cleanup", _unbind("researcher-janitor"), PROJECTS, "researcher-janitor"),
    Broken("a Project without preflight", _unbind("researcher-preflight"), PROJECTS, "researcher-preflight"),
    Broken("a Project without a NetworkPolicy", _without_policies, PROJECTS, "no NetworkPolicy"),
    Broken("a group that was bound by hand", _foreign_group, {*PROJECTS, "impersonation"}, "researcher:by-hand"),
    Broken(
        "the right to impersonate a Project's groups is lost",
        _delete(*(f"{RBAC}/clusterrolebindings/researcher-api-groups-team-{name}" for name in ("b", "shared"))),
        {*PROJECTS, "impersonation"},
        "researcher:team-b",
    ),
    Broken("a disabled rule", _aws("events", "disable_rule", Name=RULES[0]), {"schedules"}, "is disabled"),
    Broken(
        "a rule without a target",
        _aws("events", "remove_targets", Rule=RULES[1], Ids=["function"]),
        {"schedules"},
        "no target",
    ),
    Broken("a deleted alarm", _aws("cloudwatch", "delete_alarms", AlarmNames=[ALARM]), {"alarms"}, "was deleted"),
    Broken(
        "a raised alarm",
        _aws("cloudwatch", "set_alarm_state", AlarmName=ALARM, StateValue="ALARM", StateReason="test"),
        {"alarms-raised"},
        "is raised",
    ),
    Broken("alarms without a topic", lambda broken, _: broken.put_alarm(()), {"alarm-topic"}, "notify no topic"),
    Broken("a failed upload", _failed_upload, {"failed-uploads"}, "1 uploads"),
    Broken(
        "a bucket without versions",
        _aws("s3", "put_bucket_versioning", Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
        {"bucket-versioning"},
        "Versioning is off",
    ),
    Broken(
        "a bucket without notifications",
        _aws("s3", "put_bucket_notification_configuration", Bucket=BUCKET, NotificationConfiguration={}),
        {"bucket-notification"},
        "do not invoke",
    ),
    Broken(
        "a bucket whose policy is lost", _aws("s3", "delete_bucket_policy", Bucket=BUCKET), {"bucket-policy"}, "TLS"
    ),
    Broken(
        "a private endpoint",
        _cluster(resourcesVpcConfig={"endpointPublicAccess": False, "endpointPrivateAccess": True}),
        {"cluster-network"},
        "private",
    ),
    Broken(
        "an endpoint for some addresses",
        _cluster(resourcesVpcConfig={"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]}),
        {"cluster-network"},
        "some addresses",
    ),
    Broken(
        "a cluster that ignores access entries",
        _cluster(accessConfig={"authenticationMode": "CONFIG_MAP"}),
        {"authentication-mode"},
        "ignores",
    ),
    Broken("a cluster that is being deleted", _cluster(status="DELETING"), {"cluster-status"}, "DELETING"),
    Broken(
        "the endpoint of a cluster that was created again",
        lambda broken, _: broken.change_parameter("ClusterEndpoint", "https://old.example.com"),
        {"cluster-endpoint"},
        "old.example.com",
    ),
    Broken("nodes without a launch template", _nodes(None), {"node-metadata"}, "old-nodes"),
    Broken("nodes whose pods reach the metadata", _nodes(2), {"node-metadata"}, "old-nodes"),
    Broken(
        "a trust policy without ExternalId",
        _trust(ANYONE),
        {"cluster-role"},
        "does not require",
    ),
    Broken("a deployment that failed", _stack(StackStatus="UPDATE_ROLLBACK_COMPLETE"), {"stack"}, "ROLLBACK"),
    Broken("no stack", lambda broken, _: broken.account.stack.clear(), {"stack"}, "MISSING"),
)


@contextmanager
def made(broken: Broken, deployment: OperatorDeployment) -> Iterator[None]:
    """Break *deployment*; what the deployment itself does not repair is repaired at the end."""
    with ExitStack() as opened:
        broken.make(deployment, opened)
        yield
