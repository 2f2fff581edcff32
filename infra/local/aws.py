"""AWS on loopback: moto's S3, SQS, EventBridge, STS and IAM, and our own Lambda.

moto keeps its state in module globals: a process runs one LocalAws at a time, and closing it deletes all state.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from infra.local.aws_requests import ACCOUNT, AwsRequests
from infra.local.lambda_invoke import Functions
from infra.local.sts_external_id import trust_policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication as WsgiApplication

    from werkzeug.serving import BaseWSGIServer

HOST = "127.0.0.1"
REGION = "eu-west-1"


class LocalAws:
    """S3, SQS, EventBridge, STS, IAM and Lambda with *functions*; *guard* is a middleware that may reject requests."""

    def __init__(
        self,
        functions: Functions | None = None,
        guard: Callable[[WsgiApplication], WsgiApplication] | None = None,
    ) -> None:
        self._functions = functions or Functions({})
        self._guard = guard
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start on a free port."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the server."""
        self.close()

    @property
    def url(self) -> str:
        """The endpoint of all services, without a trailing slash."""
        if self._server is None:
            raise RuntimeError("The local AWS has not been started.")
        return f"http://{HOST}:{self._server.port}"

    @property
    def connection(self) -> dict[str, Any]:
        """The arguments of a boto3 client for this server; the credentials are valid only here."""
        return {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }

    def start(self, port: int = 0) -> None:
        """Listen on loopback; raise OSError if *port* is taken."""
        application: WsgiApplication = AwsRequests(self._functions)
        self._server = _listen(port, self._guard(application) if self._guard else application)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and delete all roles, sessions and objects."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None
            moto_api_backend.reset()

    def create_role(self, name: str, external_id: str) -> str:
        """Create a role that can be assumed only with *external_id*, and return its ARN."""
        policy = trust_policy(ACCOUNT, external_id)
        iam = boto3.client("iam", **self.connection)
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"])

    def create_bucket(self, name: str) -> None:
        """Create an empty bucket."""
        s3 = boto3.client("s3", **self.connection)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def notify(self, function: str, bucket: str, prefix: str) -> None:
        """Enable versioning of *bucket*, and notify *function* of new objects whose keys start with *prefix*."""
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
        keys = {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}}
        configuration = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": keys}
        s3 = boto3.client("s3", **self.connection)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
        )

    def create_queue(self, name: str) -> str:
        """Create an empty queue and return its URL."""
        return str(boto3.client("sqs", **self.connection).create_queue(QueueName=name)["QueueUrl"])

    def send_events(self, source: str, queue: str) -> None:
        """Create a rule on the default bus that sends each event of *source* to *queue*."""
        events = boto3.client("events", **self.connection)
        events.put_rule(Name=queue, EventPattern=f'{{"source": ["{source}"]}}')
        target = {"Id": queue, "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"}
        events.put_targets(Rule=queue, Targets=[target])


class _Requests(MotoRequestHandler):
    disable_nagle_algorithm = True  # otherwise each response waits 40 ms for the client's delayed acknowledgement

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def _listen(port: int, application: WsgiApplication) -> BaseWSGIServer:
    # werkzeug exits the process if the port is taken, so it receives a socket that already listens.
    with socket.create_server((HOST, port), backlog=128) as listening:
        return make_server(
            HOST,
            port,
            application,
            threaded=True,
            request_handler=_Requests,
            fd=listening.fileno(),
        )
