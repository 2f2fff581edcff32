"""Requests to the local AWS: moto with the STS checks that it lacks, and our own Lambda."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends

from infra.local.lambda_invoke import MAX_DOCUMENT, Functions, function_name
from infra.local.presigned_sts import StsError, is_presigned_identity_request, verify_session
from infra.local.sts_external_id import check_assume_role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.local.presigned_sts import Session

ACCOUNT = "123456789012"
PARTITION = "aws"
MAX_STS_BODY = 64 * 1024


class AwsRequests(DomainDispatcherApplication):
    """A WSGI application that serves all services, with Lambda for *functions*."""

    def __init__(self, functions: Functions) -> None:
        super().__init__(create_backend_app)
        self._functions = functions

    _lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        """Respond to one request."""
        query = environ.get("QUERY_STRING", "")
        if (name := function_name(environ.get("PATH_INFO", ""))) is not None:
            return _invoke(environ, self._functions, name, start_response)
        try:
            if is_presigned_identity_request(query):
                return _get_caller_identity(environ, query, start_response)
            if environ.get("PATH_INFO") == "/":
                check_assume_role(query, _body(environ), environ.get("HTTP_AUTHORIZATION"), _trust_policy_of)
        except StsError as error:
            return _error_response(error, start_response)
        # moto stores an object before its metadata, and its conditional writes are not atomic, so requests run one at a
        # time.
        with self._lock:
            response: Iterable[bytes] = super().__call__(environ, start_response)
        return response


def _get_caller_identity(environ: dict[str, Any], query: str, start_response: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    session = verify_session(query, headers, _session_of, datetime.now(UTC))
    result = {"Account": session.account_id, "Arn": session.arn, "UserId": session.user_id}
    document = {"GetCallerIdentityResponse": {"GetCallerIdentityResult": result}}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(document).encode()]


def _invoke(environ: dict[str, Any], functions: Functions, name: str, start_response: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
    body: bytes = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), MAX_DOCUMENT))
    result = functions.answer(name, environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse"), body)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(result.body)), **result.headers}
    start_response(f"{result.status} {HTTPStatus(result.status).phrase}", list(headers.items()))
    return [result.body]


def _error_response(error: StsError, start_response: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
    start_response("403 Forbidden", [("Content-Type", "text/xml")])
    return [
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
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
