"""IAM enforcement: each call of a function is checked with the policies of the role whose session has signed it.

Only the calls of the product are known; any other call is denied, so that a new one needs a line here. `calls` records
all calls: a test can show that no permission is missing, and that none is unused.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from moto.sts.models import sts_backends

from infra.local.aws_requests import ACCOUNT, PARTITION
from infra.local.presigned_sts import ALGORITHM, Scope, StsError, signing_key
from tests.deployed.policies import AccessRequest, covers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import WSGIApplication

    from infra.local.presigned_sts import Session

Json = dict[str, Any]

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<credential>[^,]+), ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>\w+)"
)
_OBJECT = re.compile(r"/(?P<bucket>[^/]+)/(?P<key>.+)", re.DOTALL)
_OBJECT_ACTIONS = {"GET": "GetObject", "PUT": "PutObject"}


NOT_FOUND = 404


class Call(NamedTuple):
    """A call of a role, and whether it was allowed."""

    role: str
    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True)
class Signed:
    """A signed request."""

    environ: Json
    body: bytes
    scope: Scope
    headers: tuple[str, ...]
    signature: str


class IamGate:
    """WSGI middleware in front of AWS; *policies* has the statements of each role by its name."""

    def __init__(self) -> None:
        self.policies: dict[str, list[Json]] = {}
        self.calls: list[Call] = []

    def guard(self, application: WSGIApplication) -> WSGIApplication:
        """Wrap *application*. Calls without a session of a role, which only tests send, pass."""

        def guarded(environ: Json, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
            signed = signed_request(environ)
            if signed is None:
                return application(environ, start_response)
            error = self._authenticate(signed)
            if error is None:
                error = self._deny_missing_object(signed, application)
            if error is None:
                return application(environ, start_response)
            if signed.scope.service == "events":
                start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
                return [json.dumps({"__type": error}).encode()]
            start_response("403 Forbidden", [("Content-Type", "text/xml")])
            body = f"<Error><Code>{error}</Code></Error>"
            # S3's errors have no enclosing element, those of STS do.
            return [(body if signed.scope.service == "s3" else f"<ErrorResponse>{body}</ErrorResponse>").encode()]

        return guarded

    def denied(self) -> list[Call]:
        """Return the calls that no policy allows."""
        return [call for call in self.calls if not call.allowed]

    def _authenticate(self, signed: Signed) -> str | None:
        session = _session(signed.scope.access_key_id)
        if session is None or session.session_token != signed.environ.get("HTTP_X_AMZ_SECURITY_TOKEN"):
            return "InvalidClientTokenId"
        if not hmac.compare_digest(computed_signature(signed, session.secret_access_key), signed.signature):
            return "SignatureDoesNotMatch"
        return self._authorize(session, access_request(signed))

    def _deny_missing_object(self, signed: Signed, application: WSGIApplication) -> str | None:
        """Deny a missing object as S3 does, which returns 404 only to callers who may list the bucket."""
        requested = access_request(signed)
        if not requested.action.startswith("s3:GetObject") or _status(application, signed.environ) != NOT_FOUND:
            return None
        session = _session(signed.scope.access_key_id)
        listing = AccessRequest("s3:ListBucket", requested.resource.partition("/")[0], {})
        return self._authorize(session, listing) if session else None

    def _authorize(self, session: Session, requested: AccessRequest) -> str | None:
        role = session.arn.split("/")[1]
        allowed = any(covers(statement, requested) for statement in self.policies.get(role, ()))
        self.calls.append(Call(role, requested.action, requested.resource, allowed))
        return None if allowed else "AccessDenied"


def signed_request(environ: Json) -> Signed | None:
    """Return the request if its headers are signed by a session of a role, else None; its body can be read again."""
    match = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    if not match or not match["credential"].startswith("ASIA"):
        return None
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        scope = Scope.parse(match["credential"])
    except StsError:
        return None
    return Signed(environ, body, scope, tuple(match["headers"].split(";")), match["signature"])


def computed_signature(signed: Signed, secret: str) -> str:
    """Return the SigV4 signature that the request must have, computed independently of the code that signed it."""
    environ = signed.environ
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    pairs = sorted(part if "=" in part else f"{part}=" for part in query.split("&") if part)
    lines = "".join(f"{name}:{' '.join(_header(environ, name).split())}\n" for name in signed.headers)
    digest = environ.get("HTTP_X_AMZ_CONTENT_SHA256") or hashlib.sha256(signed.body).hexdigest()
    canonical = "\n".join(
        [environ["REQUEST_METHOD"], path or "/", "&".join(pairs), lines, ";".join(signed.headers), digest]
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([ALGORITHM, environ["HTTP_X_AMZ_DATE"], str(signed.scope), hashed])
    return hmac.new(signing_key(secret, signed.scope), text.encode(), hashlib.sha256).hexdigest()


def access_request(signed: Signed) -> AccessRequest:
    """Return action and resource of the request as in an IAM policy."""
    environ, service = signed.environ, signed.scope.service
    if service == "sts":
        form = dict(parse_qsl(signed.body.decode()))
        return AccessRequest(f"sts:{form['Action']}", form.get("RoleArn", "*"), {})
    method, path = environ["REQUEST_METHOD"], unquote(str(environ["RAW_URI"]).partition("?")[0])
    object_match = _OBJECT.fullmatch(path)
    if service == "s3" and object_match and method in _OBJECT_ACTIONS:
        version = "Version" if "versionId=" in environ.get("QUERY_STRING", "") else ""
        resource = f"arn:aws:s3:::{object_match['bucket']}/{object_match['key']}"
        return AccessRequest(f"s3:{_OBJECT_ACTIONS[method]}{version}", resource, {})
    if service == "events" and environ.get("HTTP_X_AMZ_TARGET") == "AWSEvents.PutEvents":
        return _events(json.loads(signed.body)["Entries"], signed.scope.region)
    return AccessRequest(f"{service}:{method} {path}", "*", {})


def _events(entries: list[Json], region: str) -> AccessRequest:
    """Return the access request for events, which all go to one bus here."""
    (bus,) = {entry.get("EventBusName", "default") for entry in entries}
    context = {
        "events:source": frozenset(entry["Source"] for entry in entries),
        "events:detail-type": frozenset(entry["DetailType"] for entry in entries),
    }
    return AccessRequest("events:PutEvents", f"arn:aws:events:{region}:{ACCOUNT}:event-bus/{bus}", context)


def _header(environ: Json, name: str) -> str:
    own = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
    return str(environ.get(own.get(name, "HTTP_" + name.upper().replace("-", "_")), ""))


def _status(application: WSGIApplication, environ: Json) -> int:
    """Return the status of the response to a request without its body."""
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:  # noqa: ANN401 - WSGI
        del headers, error
        statuses.append(status)
        return len

    for _ in application(dict(environ) | {"wsgi.input": io.BytesIO()}, start_response):
        pass
    return int(statuses[0].split()[0])


def _session(access_key_id: str) -> Session | None:
    session: Session | None = sts_backends[ACCOUNT][PARTITION].get_assumed_role_from_access_key(access_key_id)
    return session
