"""HTTP in and out: what a function gets of a request, and what is made of its answer or its error."""

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
    from chalicelib.domain.caller import Caller

CANARY = "hunter2-the-canary"
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Request-Id": "req-1"}
JSON = ("Content-Type", "application/json")


class Thing(msgspec.Struct, frozen=True):
    """What the tests' functions answer."""

    name: str
    parent: str | None = None


class ThingQuery(msgspec.Struct, forbid_unknown_fields=True):
    """What they take as a query."""

    limit: Annotated[int, msgspec.Meta(ge=1)] = 50


PLAIN = Operation(summary="A thing", description="", responses={})
ASKING = Operation(summary="A thing", description="", responses={}, query=ThingQuery)


@dataclass(frozen=True)
class Sent:
    """What goes back to API Gateway."""

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
        return [(one["pointer"], one["message"]) for one in self.document.get("errors", [])]


@dataclass
class Asking:
    """A request for a thing, and the function that answers it."""

    function: Callable[..., Response]
    operation: Operation = PLAIN
    authenticate: Callable[[Sequence[str], Deadline], Caller] | None = None
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    changes: dict[str, Any] = field(default_factory=dict)
    """To the event, for what API Gateway of this machine would not send."""

    def send(self) -> Sent:
        """The function's answer by way of Chalice."""
        routes = Blueprint("things")
        view = endpoint(routes, self.operation, self.authenticate)(self.function)
        routes.route("/things/{name}", methods=["POST"], name="thing", **ANY_TYPE)(view)
        app = Chalice("things")
        app.register_blueprint(routes)
        request = ProxyRequest(
            "req-1", "v1", "/things/{name}", {"name": "train-1"}, "POST", "/v1/things/train-1" + self.query,
            self.headers, self.body, epoch=0.0,
        )  # fmt: skip
        answer = app(request.event(app.api.binary_types) | self.changes, None)
        return Sent(answer["statusCode"], answer["headers"] | answer["multiValueHeaders"], answer["body"])


def sent(function: Callable[[Request], object], **asking: Any) -> Sent:  # noqa: ANN401 - the fields of Asking
    """What is made of the answer to a request; *function* may answer no more than a body."""

    def answer(call: Request, name: str) -> Response:
        assert name == "train-1"
        found = function(call)
        return found if isinstance(found, Response) else Response(found)

    return Asking(answer, **asking).send()


def raising(error: Exception) -> Callable[[Request], object]:
    """A function that fails."""

    def function(_: Request) -> object:
        raise error

    return function


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A deployment's environment."""
    here = deployment(cluster_ca="x")
    for one in Settings.__struct_fields__:
        monkeypatch.setenv(one.upper(), str(getattr(here, one)))
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


class TestAnswer:
    """What the caller gets."""

    def test_object_becomes_json(self) -> None:
        """With every field; nobody may keep it, or take it for something else."""
        answer = sent(lambda _: Thing("train-1"))

        assert (answer.status, answer.document) == (200, {"name": "train-1", "parent": None})
        assert answer.headers == {**PRIVATE, "Content-Type": "application/json"}

    def test_text_is_sent_as_it_stands(self) -> None:
        """It is JSON already, or of another type; an empty object is an answer, too: only None is nothing."""
        assert sent(lambda _: '{"a": 1}').body == '{"a": 1}'
        empty: object
        for empty in ([], {}, 0, False):
            assert sent(partial(lambda found, _: found, empty)).document == empty
        page = sent(lambda _: Response("<html>", content_type="text/html"))
        assert (page.body, page.headers["Content-Type"]) == ("<html>", "text/html")

    def test_functions_headers_win(self) -> None:
        """A page of ours may be kept where the function says so; its status, and an empty body for nothing."""
        answer = sent(lambda _: Response(None, 304, {"ETag": '"7"', "Cache-Control": "max-age=60"}))

        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, "", '"7"')
        assert answer.headers["Cache-Control"] == "max-age=60"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


class TestHeaders:
    """Headers of a request."""

    def test_names_are_read_in_any_case(self) -> None:
        """HTTP/2 makes them small. One that is missing is None."""
        assert sent(lambda call: call.header("If-Match"), headers=[("if-match", '"7"')]).body == '"7"'
        assert sent(lambda call: [call.header("If-Match")], headers=[("X-If-Match", "7")]).body == "[null]"

    def test_header_that_stands_twice(self) -> None:
        """Is refused: which one counts is anybody's guess."""
        for second in ("If-Match", "if-match"):
            answer = sent(lambda call: call.header("If-Match"), headers=[("If-Match", "7"), (second, "7")])
            assert (answer.status, answer.errors) == (400, [("/If-Match", "must be sent once")])

    def test_all_values(self) -> None:
        """In their order, for those who look at more than one."""
        headers = [("Authorization", "a"), ("authorization", "b"), ("Authorization", "c")]

        assert json.loads(sent(lambda call: call.headers("Authorization"), headers=headers).body) == ["a", "c", "b"]


class TestQuery:
    """Parameters of a request."""

    def test_are_read_by_their_type(self) -> None:
        """With defaults for those that are missing."""
        assert sent(lambda call: call.query(ThingQuery).limit, operation=ASKING, query="?limit=7").body == "7"
        assert sent(lambda call: call.query(ThingQuery).limit, operation=ASKING).body == "50"


class TestDocument:
    """The body of a request."""

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "Application/JSON", "application/json; charset=utf-8", " application/json ;x"],
    )
    def test_json(self, content_type: str) -> None:
        """However its type is written."""
        answer = sent(lambda call: call.document(), headers=[("Content-Type", content_type)], body='{"a":"é"}'.encode())

        assert answer.document == {"a": "é"}

    @pytest.mark.parametrize("content_type", ["", "text/plain", "application/json5"])
    def test_another_type(self, content_type: str) -> None:
        """A form of another site cannot send JSON, so it cannot act for who is logged in there."""
        headers = [("Content-Type", content_type)] if content_type else []
        answer = sent(lambda call: call.document(), headers=headers, body=b"{}")

        assert (answer.status, answer.document["code"]) == (415, "unsupported_media_type")

    def test_size_is_bounded(self) -> None:
        """In bytes; the caller is told how many."""
        largest = b'"' + "é".encode() * ((MAX_BODY - 2) // 2) + b'"'
        assert len(largest) == MAX_BODY

        assert sent(lambda call: len(call.document()), headers=[JSON], body=largest).status == 200
        refused = sent(lambda call: call.document(), headers=[JSON], body=largest + b" ")
        assert (refused.status, refused.document["code"]) == (413, "body_too_large")
        assert str(MAX_BODY) in refused.document["detail"]

    def test_body_in_base64(self) -> None:
        """As API Gateway sends it where JSON is a binary type; broken, or no text, it is the caller's mistake."""
        changes: dict[str, Any] = {"body": base64.b64encode(b'{"a":1}').decode(), "isBase64Encoded": True}
        assert sent(lambda call: call.document(), headers=[JSON], changes=changes).document == {"a": 1}

        for broken in ({**changes, "body": "e30"}, {"body": '"\ud800"'}):
            answer = sent(lambda call: call.document(), headers=[JSON], changes=broken)
            assert (answer.status, answer.document["code"]) == (400, "malformed_request")


class TestCaller:
    """Who asks."""

    def test_is_known_before_the_function_runs(self) -> None:
        """From every Authorization header, as they came."""
        given: list[Sequence[str]] = []

        def authenticate(authorization: Sequence[str], _: Deadline) -> Caller:
            given.append(authorization)
            return ALICE

        headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
        answer = sent(lambda call: call.require_caller().subject, authenticate=authenticate, headers=headers)

        assert (answer.body, given) == ("alice", [["Bearer a", "Bearer b"]])

    def test_refused_caller_reaches_no_function(self) -> None:
        """And is told nothing of the request: the token comes first."""
        seen: list[Request] = []

        def authenticate(*_: object) -> Caller:
            raise Unauthenticated("Send a token.")

        answer = sent(seen.append, authenticate=authenticate, query="?unknown=1")

        assert (answer.status, answer.document["detail"], seen) == (401, "Send a token.", [])
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="researcher"'

    def test_function_for_everybody_knows_none(self) -> None:
        """If it needs one nevertheless, it asks for a token."""
        assert sent(lambda call: [call.caller]).body == "[null]"
        assert sent(lambda call: call.require_caller()).status == 401


class TestDeadline:
    """Until when."""

    def test_counts_from_the_requests_arrival(self, environment: pytest.MonkeyPatch) -> None:
        """By the setting, once for all that the request does."""
        environment.setenv("DEADLINE_SECONDS", "5.5")
        before = time.monotonic()

        at, again = json.loads(sent(lambda call: [call.deadline.at, call.deadline.at]).body)

        assert before + 5.5 <= at <= time.monotonic() + 5.5
        assert at == again

    @pytest.mark.parametrize(
        ("setting", "wait", "due"),
        [
            pytest.param("5", 10, 15, id="as much later as it waits"),
            pytest.param("20", 25, 27, id="before the Lambda is ended"),
            pytest.param("25", 0, 25, id="not at all"),
        ],
    )
    def test_is_put_off_by_what_the_caller_waits(
        self, environment: pytest.MonkeyPatch, setting: str, wait: int, due: int
    ) -> None:
        """The wait ends before the answer is due; its calls to the cluster are still of the request."""
        environment.setenv("DEADLINE_SECONDS", setting)

        def function(call: Request) -> object:
            put_off = call.extend_deadline(wait)
            return [put_off.at - call.started, call.deadline.at - call.started, put_off.request_id]

        *seconds, request_id = json.loads(sent(function).body)

        assert seconds == pytest.approx([wait, due])
        assert request_id == "req-1"


class TestErrors:
    """What the caller reads when it fails."""

    @pytest.mark.parametrize("kind", CATALOGUE.values())
    def test_error_is_a_problem(self, kind: type[ResearcherError]) -> None:
        """With status, code and words of its own, and the request's id to quote."""
        answer = sent(raising(kind("Do this instead.")))

        assert answer.document == {
            "type": f"urn:researcher:problem:{kind.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": "Do this instead.",
            "instance": "urn:researcher:request:req-1",
            "code": kind.code,
        }
        expected = {**PRIVATE, "Content-Type": "application/problem+json"}
        challenge = {"WWW-Authenticate": 'Bearer realm="researcher"'} if kind.status == 401 else {}
        assert (answer.status, answer.headers) == (kind.status, expected | challenge)

    def test_fields_are_named_and_when_to_come_again(self) -> None:
        """Each field with what is wrong there; the time in the header that clients read."""
        wrong = (FieldError("/gpu", "is negative"), FieldError("/image", "is empty"))

        answer = sent(raising(InvalidJob("No.", wrong, retry_after=7)))

        assert answer.errors == [("/gpu", "is negative"), ("/image", "is empty")]
        assert answer.headers["Retry-After"] == "7"

    def test_unforeseen_error_tells_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Neither the caller nor the log reads its text, which may hold anything; the log has its place."""
        answer = sent(raising(KeyError(CANARY)))

        told = line(capsys)
        assert (answer.status, answer.document["code"]) == (500, "internal_error")
        assert answer.document["detail"] == (
            "Internal error. Report this to the operators of this API, with the X-Request-Id."
        )
        assert (told["status"], told["code"], told["request"]) == (500, "internal_error", "req-1")
        assert told["error"][0].startswith("KeyError < test_http.py:")
        assert CANARY not in answer.body + json.dumps(told)

    def test_missing_setting_is_named_in_the_log(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Whoever deployed the API can help at once; a caller could not."""
        environment.delenv("CLUSTER_NAME")
        answer = sent(lambda call: call.deadline.at)

        assert (answer.status, line(capsys)["error"], "CLUSTER_NAME" in answer.body) == (500, "CLUSTER_NAME", False)


class TestLog:
    """The one line of a request."""

    def test_reasons_that_only_we_may_know(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An error's notes are for the log: every bad token looks alike to a stranger. There is no subject yet."""
        error = Unauthenticated("No.")
        error.add_note("the token is expired")
        error.add_note("its key is old")

        answer = sent(raising(error))

        told = line(capsys)
        assert (told["code"], told["why"]) == ("unauthenticated", "the token is expired; its key is old")
        assert "expired" not in answer.body
        assert "subject" not in told
        sent(raising(MalformedRequest("No.")))
        assert "why" not in line(capsys)
