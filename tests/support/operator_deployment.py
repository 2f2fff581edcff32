"""The local cloud as a stack that an operator has deployed, with the resources and a kubeconfig."""

from __future__ import annotations

import base64
import copy
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import boto3

from chalicelib.adapters.aws.eks_tokens import eks_token
from chalicelib.adapters.aws.sigv4 import Credentials
from infra.kubernetes.access import API_GROUP
from infra.kubernetes.project import base_manifests, project_manifests
from infra.local.aws import REGION
from infra.local.aws_requests import ACCOUNT
from infra.local.eks_tokens import AccessEntry
from infra.local.local_stack import BUCKET, ENTRY, GPUS, PROJECTS, SECRETS, Stack, clear_caches
from infra.localcluster.identity import MASTERS
from tests.cluster.json_client import JsonClient
from tests.support.operator_account import OperatorAccount

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAME = "researcher-test"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/researcher-api"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:role/operator"
ALARM, RULES = f"{NAME}-UploadFailuresAlarm-1", (f"{NAME}-CleanupRule-1", f"{NAME}-AnnounceRule-1")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:platform"
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
LAUNCH_TEMPLATE = "gpu-nodes"


class OperatorDeployment:
    """A good deployment; tests break parts of it. The context repairs the cluster and the caches when it ends."""

    def __init__(self, stack: Stack[Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stack = stack
        self.environment = monkeypatch
        self._folder = folder
        self.account = OperatorAccount(self._cluster(), self._stack())
        self.kubeconfig = folder / "kubeconfig.json"

    def __enter__(self) -> Self:
        """Create what CloudFormation would have created, and give the operator a kubeconfig."""
        self.account.__enter__()
        self._create_resources()
        self._describe_cluster()
        self.stack.access_entries[ROLE] = ENTRY
        self.stack.access_entries[OPERATOR] = AccessEntry("operator", (MASTERS,))
        self._write_kubeconfig(self._operator_token())
        for name, value in {
            "AWS_ENDPOINT_URL_EKS": self.account.url,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": self.account.url,
            "AWS_DEFAULT_REGION": REGION,
            "KUBECONFIG": str(self.kubeconfig),
        }.items():
            self.environment.setenv(name, value)
        clear_caches()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the account, and apply all manifests again."""
        self.environment.undo()
        self.admin.close()
        self.account.__exit__()
        self.stack.access_entries[ROLE] = ENTRY
        self.stack.cluster.apply(base_manifests())
        for project, groups in PROJECTS.items():
            self.stack.cluster.apply(
                project_manifests(project, groups, gpus=GPUS, uploads_bucket=BUCKET, secrets=SECRETS)
            )
        clear_caches()

    def aws(self, service: str) -> Any:  # noqa: ANN401 - a client of boto3
        """Return a client of the local AWS."""
        return boto3.client(service, **self.stack.aws.connection)

    def set(self, name: str, value: str) -> None:
        """Change a setting of the functions, as a deployment with another parameter would."""
        self.environment.setenv(name, value)
        clear_caches()

    def configure(self, **fields: object) -> None:
        """Change fields of the functions' configuration, as a deployment with another file would."""
        file = self._folder / "configuration.json"
        file.write_text(json.dumps(self.stack.configuration | fields), "utf-8")
        self.set("CONFIGURATION_FILE", str(file))

    def _cluster(self) -> dict[str, Any]:
        return {
            "name": self.stack.cluster.name,
            "status": "ACTIVE",
            "endpoint": self.stack.cluster.url,
            "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
            "resourcesVpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]},
        }

    def _stack(self) -> dict[str, Any]:
        parameters = {
            "ClusterName": self.stack.cluster.name,
            "ClusterEndpoint": self.stack.cluster.url,
            "ClusterRoleArn": ROLE,
            "ClusterExternalId": "****",
            "SubnetIds": "",
        }
        outputs = {
            "UploadsBucketName": BUCKET,
            "SubmitUploadName": "submit_upload",
            "UploadFailuresUrl": self.stack.failures_url,
            "SelfCheckName": "self_check",
        }
        return {
            "StackName": NAME,
            "StackStatus": "UPDATE_COMPLETE",
            "CreationTime": "2026-11-28T00:00:00Z",
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        }

    def _create_resources(self) -> None:
        self.aws("s3").put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": [TLS_ONLY]}))
        self.stack.aws.notify("submit_upload", BUCKET, "submit/")
        events = self.aws("events")
        for rule in RULES:
            events.put_rule(Name=rule, ScheduleExpression="rate(1 day)", State="ENABLED")
            function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:cleanup"
            events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": function}])
        self.put_alarm()
        self.account.resources = [
            *(("AWS::Events::Rule", rule) for rule in RULES),
            ("AWS::CloudWatch::Alarm", ALARM),
            ("AWS::S3::Bucket", BUCKET),
        ]

    def put_alarm(self, actions: tuple[str, ...] = (TOPIC,)) -> None:
        """Create the alarm, which is not raised."""
        watch = self.aws("cloudwatch")
        watch.put_metric_alarm(
            AlarmName=ALARM, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=0.0,
            Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Period=300, Statistic="Maximum",
            AlarmActions=list(actions),
        )  # fmt: skip
        watch.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="test")

    def _describe_cluster(self) -> None:
        self.account.entries = {
            ROLE: {
                "principalArn": ROLE,
                "kubernetesGroups": [API_GROUP],
                "username": ENTRY.username,
                "type": "STANDARD",
            }
        }
        self.account.addons = {
            "vpc-cni": {"addonName": "vpc-cni", "configurationValues": "enableNetworkPolicy: 'true'"}
        }
        self.add_node_group("gpu", hops=1)

    def add_node_group(self, name: str, hops: int | None) -> None:
        """Add a node group; *hops* is the hop limit in its launch template, without which it has none."""
        group: dict[str, Any] = {"nodegroupName": name}
        if hops is not None:
            options = {"HttpTokens": "required", "HttpPutResponseHopLimit": hops}
            created = self.aws("ec2").create_launch_template(
                LaunchTemplateName=f"{name}-{time.monotonic_ns()}", LaunchTemplateData={"MetadataOptions": options}
            )
            group["launchTemplate"] = {"id": created["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}
        self.account.nodegroups = {**self.account.nodegroups, name: group}

    def change_entry(self, **changes: object) -> None:
        """Change the access entry of the API's role, as EKS describes it and as the cluster applies it."""
        entry = self.account.entries[ROLE] | changes
        self.account.entries = {ROLE: entry}
        self.stack.access_entries[ROLE] = AccessEntry(entry["username"], tuple(entry["kubernetesGroups"]))

    def remove_entry(self) -> None:
        """Delete the access entry of the API's role."""
        self.account.entries = {}
        del self.stack.access_entries[ROLE]

    def change_object(self, path: str, change: dict[str, Any]) -> None:
        """Apply a merge patch to an object of the cluster, as with kubectl."""
        self.admin.patch(path, change)

    def change_parameter(self, name: str, value: str) -> None:
        """Change a parameter in the description of the stack."""
        stack = copy.deepcopy(self.account.stack)
        stack["Parameters"] = [each for each in stack["Parameters"] if each["ParameterKey"] != name]
        stack["Parameters"].append({"ParameterKey": name, "ParameterValue": value})
        self.account.stack = stack

    def _operator_token(self) -> str:
        policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
        iam = self.aws("iam")
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="operator", AssumeRolePolicyDocument=json.dumps(policy))
        session = self.aws("sts").assume_role(RoleArn=OPERATOR, RoleSessionName="operator")["Credentials"]
        credentials = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
        return eks_token(credentials, self.stack.cluster.name, REGION, time.time())

    def _write_kubeconfig(self, token: str) -> None:
        authority = self._folder / "operator-ca.crt"
        authority.write_text(self.stack.cluster.ca_pem, "ascii")
        self.admin = JsonClient(self.stack.cluster.url, authority, headers=[("Authorization", f"Bearer {token}")])
        data = base64.b64encode(self.stack.cluster.ca_pem.encode()).decode()
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "eks",
            "contexts": [{"name": "eks", "context": {"cluster": "eks", "user": "operator"}}],
            "clusters": [
                {"name": "eks", "cluster": {"server": self.stack.cluster.url, "certificate-authority-data": data}}
            ],
            "users": [{"name": "operator", "user": {"token": token}}],
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(document), "utf-8")
