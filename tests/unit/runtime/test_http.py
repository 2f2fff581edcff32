"""HTTP: the Request of a function, and the response for its result or its error."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import (
    CATALOGUE,
    FieldError,
    InvalidJob,
    MalformedRequest,
    ResearcherError,
    Unauthenticated,
)
from chalicelib.runtime.http import ANY_TYPE, MAX_BODY, Request, Response, endpoint
from chalicelib.runtime.operation import Operation
from chalicelib.settings import Settings, settings
from infra.local.lambda_proxy import ProxyRequest
from tests.logged import line
from tests.support.builders import ALICE, deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chalicelib.deadline import Deadline

CANARY = "hunter2-the-canary"
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Request-Id": "req-1"}
JSON = ("Content-Type", "application/json")


class Item(msgspec.Struct, frozen=True):
    """A result of a function."""

    name: str
    parent: str | None = None


class ItemQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A query of a function."""

    limit: Annotated[int, msgspec.Meta(ge=1)] = 50


PLAIN = Operation(summary="A thing", description="", responses={})
WITH_QUERY = Operation(summary="A thing", description="", responses={}, query=ItemQuery)


@dataclass(frozen=True)
class Received:
    """The response to API Gateway."""

    status: int
    headers: dict[str, Any]
    body: str

    @property
    def document(self) -> dict[str, Any]:
        """The body's JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Pointer and message of each error in the body."""
        return [(error["pointer"], error["message"]) for error in self.document.get("errors", [])]


@dataclass
class Call:
    """A request, and the function that it is sent to."""

    function: Callable[..., Response]
    operation: Operation = PLAIN
    authenticate: Callable[[Sequence[str], Deadline], Caller] | None = None
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    changes: dict[str, Any] = field(default_factory=dict)
    """Changes to the event that the local API Gateway would not send."""

    def send(self) -> Received:
        """Send the request to the function through Chalice."""
        routes = Blueprint("things")
        view = endpoint(routes, self.operation, self.authenticate)(self.function)
        routes.route("/things/{name}", methods=["POST"], name="thing", **ANY_TYPE)(view)
        app = Chalice("things")
        app.register_blueprint(routes)
        request = ProxyRequest(
            "req-1", "v1", "/things/{name}", {"name": "train-1"}, "POST", "/v1/things/train-1" + self.query,
            self.headers, self.body, epoch=0.0,
        )  # fmt: skip
        response = app(request.event(app.api.binary_types) | self.changes, None)
        return Received(response["statusCode"], response["headers"] | response["multiValueHeaders"], response["body"])


def call(function: Callable[[Request], object], **fields: Any) -> Received:  # noqa: ANN401 - the fields of Asking
    """Send a request to *function*, which may return a body only, and return the response."""

    def response(request: Request, name: str) -> Response:
        assert name == "train-1"
        found = function(request)
        return found if isinstance(found, Response) else Response(found)

    return Call(response, **fields).send()


def raising(error: Exception) -> Callable[[Request], object]:
    """Return a function that raises *error*."""

    def function(_: Request) -> object:
        raise error

    return function


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set the settings of a deployment, and clear the cache after the test."""
    configured = deployment()
    for name in Settings.__struct_fields__:
        monkeypatch.setenv(name.upper(), str(getattr(configured, name)))
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


class TestResponse:
    """The response."""

    def test_object_is_json(self) -> None:
        """All fields are written; the response must not be cached or interpreted as another type."""
        response = call(lambda _: Item("train-1"))

        assert (response.status, response.document) == (200, {"name": "train-1", "parent": None})
        assert response.headers == {**PRIVATE, "Content-Type": "application/json"}

    def test_string_is_sent_unchanged(self) -> None:
        """A string is the body itself, and an empty object is a body; only None is no body."""
        assert call(lambda _: '{"a": 1}').body == '{"a": 1}'
        empty: object
        for empty in ([], {}, 0, False):
            assert call(partial(lambda found, _: found, empty)).document == empty
        page = call(lambda _: Response("<html>", content_type="text/html"))
        assert (page.body, page.headers["Content-Type"]) == ("<html>", "text/html")

    def test_headers_of_the_function_take_precedence(self) -> None:
        """The function sets the status, and headers such as Cache-Control; None is an empty body."""
        response = call(lambda _: Response(None, 304, {"ETag": '"7"', "Cache-Control": "max-age=60"}))

        assert (response.status, response.body, response.headers["ETag"]) == (304, "", '"7"')
        assert response.headers["Cache-Control"] == "max-age=60"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


class TestHeaders:
    """Request headers."""

    def test_names_are_case_insensitive(self) -> None:
        """HTTP/2 sends them in lower case. A missing header is None."""
        assert call(lambda request: request.header("If-Match"), headers=[("if-match", '"7"')]).body == '"7"'
        assert call(lambda request: [request.header("If-Match")], headers=[("X-If-Match", "7")]).body == "[null]"

    def test_repeated_header(self) -> None:
        """A header that may be sent once is rejected if it was sent more than once."""
        for second in ("If-Match", "if-match"):
            response = call(lambda request: request.header("If-Match"), headers=[("If-Match", "7"), (second, "7")])
            assert (response.status, response.errors) == (400, [("/If-Match", "must be sent once")])

    def test_all_values(self) -> None:
        """All values are returned in their order."""
        headers = [("Authorization", "a"), ("authorization", "b"), ("Authorization", "c")]

        assert json.loads(call(lambda request: request.headers("Authorization"), headers=headers).body) == [
            "a",
            "c",
            "b",
        ]


class TestQuery:
    """Query parameters."""

    def test_are_converted(self) -> None:
        """Missing parameters have their defaults."""
        assert call(lambda request: request.query(ItemQuery).limit, operation=WITH_QUERY, query="?limit=7").body == "7"
        assert call(lambda request: request.query(ItemQuery).limit, operation=WITH_QUERY).body == "50"


class TestDocument:
    """The request body."""

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "Application/JSON", "application/json; charset=utf-8", " application/json ;x"],
    )
    def test_json(self, content_type: str) -> None:
        """The Content-Type may have parameters, and is case-insensitive."""
        response = call(
            lambda request: request.document(), headers=[("Content-Type", content_type)], body='{"a":"é"}'.encode()
        )

        assert response.document == {"a": "é"}

    @pytest.mark.parametrize("content_type", ["", "text/plain", "application/json5"])
    def test_another_type(self, content_type: str) -> None:
        """A form of another site cannot send JSON, and so cannot act for a user who is logged in there."""
        headers = [("Content-Type", content_type)] if content_type else []
        response = call(lambda request: request.document(), headers=headers, body=b"{}")

        assert (response.status, response.document["code"]) == (415, "unsupported_media_type")

    def test_types_of_an_operation(self) -> None:
        """An operation may accept several types; the message lists them."""
        types = ("application/json", "application/merge-patch+json")
        results = [
            call(lambda request: request.document(types), headers=[("Content-Type", each)], body=b'{"a":1}')
            for each in (*types, "application/json-patch+json")
        ]

        assert [result.status for result in results] == [200, 200, 415]
        assert results[2].document["detail"].endswith("Content-Type: application/json or application/merge-patch+json.")

    def test_literals(self) -> None:
        """An operation can keep how numbers are written."""
        response = call(lambda request: [request.document(literals=True)[0].literal], headers=[JSON], body=b"[1e-4]")

        assert response.body == '["1e-4"]'

    def test_size_is_limited(self) -> None:
        """The limit is in bytes, and the error contains it."""
        largest = b'"' + "é".encode() * ((MAX_BODY - 2) // 2) + b'"'
        assert len(largest) == MAX_BODY

        assert call(lambda request: len(request.document()), headers=[JSON], body=largest).status == 200
        rejected = call(lambda request: request.document(), headers=[JSON], body=largest + b" ")
        assert (rejected.status, rejected.document["code"]) == (413, "body_too_large")
        assert str(MAX_BODY) in rejected.document["detail"]

    def test_body_in_base64(self) -> None:
        """API Gateway may send it if JSON is a binary type; an invalid body is an error of the caller."""
        changes: dict[str, Any] = {"body": base64.b64encode(b'{"a":1}').decode(), "isBase64Encoded": True}
        assert call(lambda request: request.document(), headers=[JSON], changes=changes).document == {"a": 1}

        for broken in ({**changes, "body": "e30"}, {"body": '"\ud800"'}):
            response = call(lambda request: request.document(), headers=[JSON], changes=broken)
            assert (response.status, response.document["code"]) == (400, "malformed_request")


class TestCaller:
    """The caller."""

    def test_is_authenticated_before_the_function_runs(self) -> None:
        """All Authorization headers are passed on unchanged."""
        received: list[Sequence[str]] = []

        def authenticate(authorization: Sequence[str], _: Deadline) -> Caller:
            received.append(authorization)
            return ALICE

        headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
        response = call(lambda request: request.require_caller().subject, authenticate=authenticate, headers=headers)

        assert (response.body, received) == ("alice", [["Bearer a", "Bearer b"]])

    def test_unauthenticated_caller(self) -> None:
        """The function does not run, and the query is not validated."""
        seen: list[Request] = []

        def authenticate(*_: object) -> Caller:
            raise Unauthenticated("Send a token.")

        response = call(seen.append, authenticate=authenticate, query="?unknown=1")

        assert (response.status, response.document["detail"], seen) == (401, "Send a token.", [])
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="researcher"'

    def test_function_without_authentication(self) -> None:
        """There is no caller; if one is required, the response is 401."""
        assert call(lambda request: [request.caller]).body == "[null]"
        assert call(lambda request: request.require_caller()).status == 401


class TestDeadline:
    """The deadline."""

    def test_starts_when_the_request_arrives(self, environment: pytest.MonkeyPatch) -> None:
        """The setting applies, and there is one deadline for the whole request."""
        environment.setenv("DEADLINE_SECONDS", "5.5")
        before = time.monotonic()

        at, again = json.loads(call(lambda request: [request.deadline.at, request.deadline.at]).body)

        assert before + 5.5 <= at <= time.monotonic() + 5.5
        assert at == again

    @pytest.mark.parametrize(
        ("setting", "wait", "expected"),
        [
            pytest.param("5", 10, 15, id="by the wait"),
            pytest.param("20", 25, 27, id="up to the limit"),
            pytest.param("25", 0, 25, id="no wait"),
        ],
    )
    def test_is_extended_by_the_wait(
        self, environment: pytest.MonkeyPatch, setting: str, wait: int, expected: int
    ) -> None:
        """The wait ends by the deadline, which is extended up to a limit."""
        environment.setenv("DEADLINE_SECONDS", setting)

        def function(request: Request) -> object:
            wait_end = request.extend_deadline(wait)
            return [wait_end.at - request.started, request.deadline.at - request.started, wait_end.request_id]

        *seconds, request_id = json.loads(call(function).body)

        assert seconds == pytest.approx([wait, expected])
        assert request_id == "req-1"


class TestErrors:
    """Error responses."""

    @pytest.mark.parametrize("kind", CATALOGUE.values())
    def test_error_is_a_problem(self, kind: type[ResearcherError]) -> None:
        """Every error has a status, a code, a title, and the request id."""
        response = call(raising(kind("Do this instead.")))

        assert response.document == {
            "type": f"urn:researcher:problem:{kind.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": "Do this instead.",
            "instance": "urn:researcher:request:req-1",
            "code": kind.code,
        }
        expected = {**PRIVATE, "Content-Type": "application/problem+json"}
        challenge = {"WWW-Authenticate": 'Bearer realm="researcher"'} if kind.status == 401 else {}
        assert (response.status, response.headers) == (kind.status, expected | challenge)

    def test_fields_and_retry_after(self) -> None:
        """The problem lists the fields, and Retry-After is a header."""
        field_errors = (FieldError("/gpu", "is negative"), FieldError("/image", "is empty"))

        response = call(raising(InvalidJob("No.", field_errors, retry_after=7)))

        assert response.errors == [("/gpu", "is negative"), ("/image", "is empty")]
        assert response.headers["Retry-After"] == "7"

    def test_unexpected_error_discloses_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Neither the response nor the log contains its text; the log has its location."""
        response = call(raising(KeyError(CANARY)))

        logged = line(capsys)
        assert (response.status, response.document["code"]) == (500, "internal_error")
        assert response.document["detail"] == (
            "Internal error. Report this to the operators of this API, with the X-Request-Id."
        )
        assert (logged["status"], logged["code"], logged["request"]) == (500, "internal_error", "req-1")
        assert logged["error"][0].startswith("KeyError < test_http.py:")
        assert CANARY not in response.body + json.dumps(logged)

    def test_missing_setting_is_named_in_the_log(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The log has the name of the setting for the operators, and the response has not."""
        environment.delenv("CLUSTER_NAME")
        response = call(lambda request: request.deadline.at)

        assert (response.status, line(capsys)["error"], "CLUSTER_NAME" in response.body) == (500, "CLUSTER_NAME", False)


class TestLog:
    """The log line of a request."""

    def test_reason_is_only_logged(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The notes of an error are logged and not returned. There is no subject yet."""
        error = Unauthenticated("No.")
        error.add_note("the token is expired")
        error.add_note("its key is old")

        response = call(raising(error))

        logged = line(capsys)
        assert (logged["code"], logged["why"]) == ("unauthenticated", "the token is expired; its key is old")
        assert "expired" not in response.body
        assert "subject" not in logged
        call(raising(MalformedRequest("No.")))
        assert "why" not in line(capsys)

    @pytest.mark.parametrize(("ignored", "logged"), [((), None), (("team-\\xe9", "a,b"), ["team-\\xe9", "a,b"])])
    def test_ignored_groups(
        self, capsys: pytest.CaptureFixture[str], ignored: tuple[str, ...], logged: list[str] | None
    ) -> None:
        """The groups that were left out of the token's are logged, also if the request then fails, and not returned."""
        caller = Caller("alice", (), ignored_groups=ignored)

        response = call(raising(InvalidJob("No.")), authenticate=lambda _headers, _deadline: caller)

        assert (line(capsys).get("ignoredGroups"), "team" in response.body) == (logged, False)
