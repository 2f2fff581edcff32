"""IAM enforced: each call that a function makes is held against the policies of the role whose session signed it.

Knows only the calls that the product makes; any other is denied by name, so that a new one needs a line here.
`calls` keeps what was asked: a test can show that no grant is missing, and that none is unused.
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
from tests.deployed.policies import Asked, covers

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
    """What a role asked AWS for."""

    role: str
    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True)
class Signed:
    """A request that says who signed it."""

    environ: Json
    body: bytes
    scope: Scope
    headers: tuple[str, ...]
    signature: str


class IamGate:
    """Stands before AWS; *policies* are the statements of each role's policies, by the role's name."""

    def __init__(self) -> None:
        self.policies: dict[str, list[Json]] = {}
        self.calls: list[Call] = []

    def guard(self, application: WSGIApplication) -> WSGIApplication:
        """*application* behind this gate. Calls without a role's session, which only tests make, pass."""

        def guarded(environ: Json, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
            signed = signed_request(environ)
            if signed is None:
                return application(environ, start_response)
            refusal = self._refusal(signed)
            if refusal is None:
                refusal = self._hidden(signed, application)
            if refusal is None:
                return application(environ, start_response)
            if signed.scope.service == "events":
                start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
                return [json.dumps({"__type": refusal}).encode()]
            start_response("403 Forbidden", [("Content-Type", "text/xml")])
            body = f"<Error><Code>{refusal}</Code></Error>"
            # S3's errors stand alone, those of STS in a response.
            return [(body if signed.scope.service == "s3" else f"<ErrorResponse>{body}</ErrorResponse>").encode()]

        return guarded

    def denied(self) -> list[Call]:
        """The calls that no policy allowed."""
        return [call for call in self.calls if not call.allowed]

    def _refusal(self, signed: Signed) -> str | None:
        session = _session(signed.scope.access_key_id)
        if session is None or session.session_token != signed.environ.get("HTTP_X_AMZ_SECURITY_TOKEN"):
            return "InvalidClientTokenId"
        if not hmac.compare_digest(computed_signature(signed, session.secret_access_key), signed.signature):
            return "SignatureDoesNotMatch"
        return self._decided(session, asked(signed))

    def _hidden(self, signed: Signed, application: WSGIApplication) -> str | None:
        """S3 tells only those that an object is not there who may list the bucket."""
        found = asked(signed)
        if not found.action.startswith("s3:GetObject") or _status(application, signed.environ) != NOT_FOUND:
            return None
        session = _session(signed.scope.access_key_id)
        listing = Asked("s3:ListBucket", found.resource.partition("/")[0], {})
        return self._decided(session, listing) if session else None

    def _decided(self, session: Session, found: Asked) -> str | None:
        role = session.arn.split("/")[1]
        allowed = any(covers(statement, found) for statement in self.policies.get(role, ()))
        self.calls.append(Call(role, found.action, found.resource, allowed))
        return None if allowed else "AccessDenied"


def signed_request(environ: Json) -> Signed | None:
    """The request when a role's session signed its headers, else None; its body can be read again."""
    found = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    if not found or not found["credential"].startswith("ASIA"):
        return None
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        scope = Scope.parse(found["credential"])
    except StsError:
        return None
    return Signed(environ, body, scope, tuple(found["headers"].split(";")), found["signature"])


def computed_signature(signed: Signed, secret: str) -> str:
    """The SigV4 signature that the request must have, by the rules and not by the code that signed."""
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


def asked(signed: Signed) -> Asked:
    """What the request is, in IAM's words."""
    environ, service = signed.environ, signed.scope.service
    if service == "sts":
        form = dict(parse_qsl(signed.body.decode()))
        return Asked(f"sts:{form['Action']}", form.get("RoleArn", "*"), {})
    method, path = environ["REQUEST_METHOD"], unquote(str(environ["RAW_URI"]).partition("?")[0])
    stored = _OBJECT.fullmatch(path)
    if service == "s3" and stored and method in _OBJECT_ACTIONS:
        version = "Version" if "versionId=" in environ.get("QUERY_STRING", "") else ""
        resource = f"arn:aws:s3:::{stored['bucket']}/{stored['key']}"
        return Asked(f"s3:{_OBJECT_ACTIONS[method]}{version}", resource, {})
    if service == "events" and environ.get("HTTP_X_AMZ_TARGET") == "AWSEvents.PutEvents":
        return _events(json.loads(signed.body)["Entries"], signed.scope.region)
    return Asked(f"{service}:{method} {path}", "*", {})


def _events(entries: list[Json], region: str) -> Asked:
    """Events, all of which go to one bus here."""
    (bus,) = {entry.get("EventBusName", "default") for entry in entries}
    context = {
        "events:source": frozenset(entry["Source"] for entry in entries),
        "events:detail-type": frozenset(entry["DetailType"] for entry in entries),
    }
    return Asked("events:PutEvents", f"arn:aws:events:{region}:{ACCOUNT}:event-bus/{bus}", context)


def _header(environ: Json, name: str) -> str:
    own = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
    return str(environ.get(own.get(name, "HTTP_" + name.upper().replace("-", "_")), ""))


def _status(application: WSGIApplication, environ: Json) -> int:
    """How a request without a body would be answered."""
    told: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:  # noqa: ANN401 - WSGI
        del headers, error
        told.append(status)
        return len

    for _ in application(dict(environ) | {"wsgi.input": io.BytesIO()}, start_response):
        pass
    return int(told[0].split()[0])


def _session(access_key_id: str) -> Session | None:
    session: Session | None = sts_backends[ACCOUNT][PARTITION].get_assumed_role_from_access_key(access_key_id)
    return session
