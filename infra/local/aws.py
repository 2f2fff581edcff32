"""AWS on loopback: moto's S3, SQS, STS and IAM, with the checks of STS that moto lacks, and our own Lambda.

moto keeps its state in module globals: one LocalAws in a process at a time, and closing it forgets everything.
"""

from __future__ import annotations

import io
import json
import socket
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from xml.sax.saxutils import escape

import boto3
from moto.iam.models import iam_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sts.models import sts_backends
from werkzeug.serving import make_server

from infra.local.assume_role import check_assume_role, trust_policy
from infra.local.functions import MAX_DOCUMENT, Functions, invoked_name
from infra.local.presigned_sts import StsRefusal, is_presigned_identity_request, verified_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import WSGIApplication as WsgiApplication

    from werkzeug.serving import BaseWSGIServer

    from infra.local.presigned_sts import Session

ACCOUNT = "123456789012"
HOST = "127.0.0.1"
PARTITION = "aws"
REGION = "eu-west-1"
MAX_STS_BODY = 64 * 1024


class LocalAws:
    """S3, SQS, EventBridge, STS and IAM, and Lambda for *functions*; *guard* may refuse requests before they arrive."""

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
        """Starts on a free port."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self.close()

    @property
    def url(self) -> str:
        """The endpoint of all services, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("The local AWS has not been started.")
        return f"http://{HOST}:{self._server.port}"

    @property
    def connection(self) -> dict[str, Any]:
        """The arguments with which a boto3 client comes here; the credentials open nothing else."""
        return {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }

    def start(self, port: int = 0) -> None:
        """Listens on loopback; OSError when *port* is taken."""
        application: WsgiApplication = _Checked(self._functions)
        self._server = _listen(port, self._guard(application) if self._guard else application)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening and forgets every role, session and object."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None
            moto_api_backend.reset()

    def create_role(self, name: str, external_id: str) -> str:
        """Makes a role that is assumed with *external_id* only, and tells its ARN."""
        policy = trust_policy(ACCOUNT, external_id)
        iam = boto3.client("iam", **self.connection)
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"])

    def create_bucket(self, name: str) -> None:
        """Makes an empty bucket."""
        s3 = boto3.client("s3", **self.connection)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def notify(self, function: str, bucket: str, prefix: str) -> None:
        """From now on *bucket* keeps every version, and tells *function* of new objects whose keys begin so."""
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
        keys = {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}}
        told = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": keys}
        s3 = boto3.client("s3", **self.connection)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [told]}
        )

    def create_queue(self, name: str) -> str:
        """Makes an empty queue, and tells its URL."""
        return str(boto3.client("sqs", **self.connection).create_queue(QueueName=name)["QueueUrl"])

    def send_events(self, source: str, queue: str) -> None:
        """From now on *queue* gets each event of *source* on the default bus."""
        events = boto3.client("events", **self.connection)
        events.put_rule(Name=queue, EventPattern=f'{{"source": ["{source}"]}}')
        target = {"Id": queue, "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"}
        events.put_targets(Rule=queue, Targets=[target])


class _Requests(MotoRequestHandler):
    disable_nagle_algorithm = True  # else every answer waits 40 ms for the client's delayed acknowledgement

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs nothing."""


class _Checked(DomainDispatcherApplication):
    """moto's application behind our checks of STS, and our Lambda beside it."""

    def __init__(self, functions: Functions) -> None:
        super().__init__(create_backend_app)
        self._functions = functions

    _one_at_a_time = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        query = environ.get("QUERY_STRING", "")
        if (name := invoked_name(environ.get("PATH_INFO", ""))) is not None:
            return _invoked(environ, self._functions, name, start_response)
        try:
            if is_presigned_identity_request(query):
                return _identity(environ, query, start_response)
            if environ.get("PATH_INFO") == "/":
                check_assume_role(query, _body(environ), environ.get("HTTP_AUTHORIZATION"), _trust_policy_of)
        except StsRefusal as refusal:
            return _refused(refusal, start_response)
        # moto stores an object before its metadata, and compares before it stores: S3 does each at once.
        with self._one_at_a_time:
            answer: Iterable[bytes] = super().__call__(environ, start_response)
        return answer


def _listen(port: int, application: WsgiApplication) -> BaseWSGIServer:
    # werkzeug ends the process when the port is taken, so it gets a socket that listens already.
    with socket.create_server((HOST, port), backlog=128) as listening:
        return make_server(
            HOST,
            port,
            application,
            threaded=True,
            request_handler=_Requests,
            fd=listening.fileno(),
        )


def _identity(environ: dict[str, Any], query: str, start_response: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    session = verified_session(query, headers, _session_of, datetime.now(UTC))
    result = {"Account": session.account_id, "Arn": session.arn, "UserId": session.user_id}
    document = {"GetCallerIdentityResponse": {"GetCallerIdentityResult": result}}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(document).encode()]


def _invoked(environ: dict[str, Any], functions: Functions, name: str, start_response: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
    body: bytes = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), MAX_DOCUMENT))
    answer = functions.answer(name, environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse"), body)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
    return [answer.body]


def _refused(refusal: StsRefusal, start_response: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
    start_response("403 Forbidden", [("Content-Type", "text/xml")])
    return [
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>"
        "<RequestId>local</RequestId></ErrorResponse>".encode()
    ]


def _body(environ: dict[str, Any]) -> str:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if environ.get("REQUEST_METHOD") != "POST" or not 0 < length <= MAX_STS_BODY:
        return ""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode("latin-1")


def _session_of(access_key_id: str) -> Session | None:
    session: Session | None = sts_backends[ACCOUNT][PARTITION].get_assumed_role_from_access_key(access_key_id)
    return session


def _trust_policy_of(arn: str) -> str | None:
    roles = iam_backends[ACCOUNT][PARTITION].get_roles()
    return next((role.assume_role_policy_document for role in roles if role.arn == arn), None)
