"""The proxy event and the proxy answer, as API Gateway documents them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from infra.local.lambda_proxy import MAX_ANSWER, LambdaContext, ProxyRequest, reply_of

if TYPE_CHECKING:
    from infra.local.wire import Headers

BINARY = ["image/png"]


def request(
    target: str = "/jobs/a%2Fb", headers: Headers | None = None, body: bytes = b"", **variables: str
) -> ProxyRequest:
    """A POST request for the resource /jobs/{project}."""
    return ProxyRequest(
        "id-1", "api", "/jobs/{project}", variables, "POST", target, headers or [], body, epoch=1_800_000_000.5
    )


class TestEvent:
    """What the function gets."""

    def test_path_stays_as_sent(self) -> None:
        """Neither path nor path parameters are decoded."""
        event = request(project="a%2Fb").event(BINARY)

        assert event["path"] == "/jobs/a%2Fb"
        assert event["pathParameters"] == {"project": "a%2Fb"}
        assert event["resource"] == "/jobs/{project}"

    def test_query_is_decoded_and_keeps_repetitions(self) -> None:
        """The last value wins where only one fits."""
        event = request("/x?a=1&a=%C3%BC+b&c=").event(BINARY)

        assert event["multiValueQueryStringParameters"] == {"a": ["1", "ü b"], "c": [""]}
        assert event["queryStringParameters"] == {"a": "ü b", "c": ""}

    def test_headers_keep_repetitions(self) -> None:
        """The last value wins where only one fits."""
        event = request(headers=[("X-A", "1"), ("X-A", "2"), ("Host", "h")]).event(BINARY)

        assert event["multiValueHeaders"] == {"X-A": ["1", "2"], "Host": ["h"]}
        assert event["headers"] == {"X-A": "2", "Host": "h"}

    def test_what_is_missing_is_null(self) -> None:
        """API Gateway sends null for an empty map and an empty body."""
        event = request("/x").event(BINARY)

        empty = {name for name, value in event.items() if value is None}
        assert empty == {
            "body", "headers", "multiValueHeaders", "multiValueQueryStringParameters", "pathParameters",
            "queryStringParameters", "stageVariables",
        }  # fmt: skip
        assert event["isBase64Encoded"] is False

    def test_context_tells_who_asks_what(self) -> None:
        """The request context has the id, the stage and the path of the URL."""
        context = request(headers=[("User-Agent", "curl"), ("host", "h:1")]).event(BINARY)["requestContext"]

        assert context["requestId"] == "id-1"
        assert context["stage"] == "api"
        assert context["path"] == "/jobs/a%2Fb"
        assert context["resourcePath"] == "/jobs/{project}"
        assert context["httpMethod"] == "POST"
        assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "curl"}
        assert context["domainName"] == "h:1"
        assert context["requestTime"] == "15/Jan/2027:08:00:00 +0000"
        assert context["requestTimeEpoch"] == 1_800_000_000_500

    @pytest.mark.parametrize(
        ("content_type", "sent", "given", "encoded"),
        [
            pytest.param("application/json", "ü".encode(), "ü", False, id="text"),
            pytest.param("application/json", b"\xff", "\ufffd", False, id="not UTF-8"),
            pytest.param("Image/PNG; x=y", b"\xff", base64.b64encode(b"\xff").decode(), True, id="binary"),
        ],
    )
    def test_body_is_text_unless_its_type_is_binary(
        self, content_type: str, sent: bytes, given: str, *, encoded: bool
    ) -> None:
        """Only the API's binary types come in base64."""
        event = request(headers=[("content-type", content_type)], body=sent).event(BINARY)

        assert (event["body"], event["isBase64Encoded"]) == (given, encoded)


class TestWantsBinary:
    """Whether base64 is decoded on the way out."""

    @pytest.mark.parametrize(
        ("accept", "wants"),
        [
            pytest.param("image/png, */*", True, id="first"),
            pytest.param("image/avif, image/png", False, id="second"),
            pytest.param("*/*", False, id="any"),
        ],
    )
    def test_only_the_first_accepted_type_counts(self, accept: str, *, wants: bool) -> None:
        """A documented oddity of API Gateway that breaks images in browsers."""
        assert request(headers=[("Accept", accept)]).wants_binary(BINARY) is wants

    def test_api_may_declare_everything_binary(self) -> None:
        """The documented way out of it."""
        assert request().wants_binary(["*/*"])


class TestReplyOf:
    """What the function may answer."""

    def test_answer_becomes_a_reply(self) -> None:
        """Status, headers and body; a header of several values goes out several times."""
        answer = {
            "statusCode": 201,
            "headers": {"A": "1", "B": 2, "C": True, "set-cookie": "beaten"},
            "multiValueHeaders": {"Set-Cookie": ["x", "y"]},
            "body": "ü",
        }

        reply = reply_of(answer, decode=False)

        assert reply.status == 201
        assert reply.headers == [("A", "1"), ("B", "2"), ("C", "true"), ("Set-Cookie", "x"), ("Set-Cookie", "y")]
        assert reply.body == "ü".encode()

    @pytest.mark.parametrize(("decode", "body"), [(True, b"\xff"), (False, b"/w==")])
    def test_base64_is_decoded_only_when_wanted(self, body: bytes, *, decode: bool) -> None:
        """Otherwise it goes out as it is."""
        answer = {"statusCode": 200, "body": "/w==", "isBase64Encoded": True}

        assert reply_of(answer, decode=decode).body == body

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(None, id="nothing"),
            pytest.param("text", id="text"),
            pytest.param({}, id="no status"),
            pytest.param({"statusCode": "200"}, id="status is text"),
            pytest.param({"statusCode": 42}, id="status is none"),
            pytest.param({"statusCode": 200, "surprise": 1}, id="unknown key"),
            pytest.param({"statusCode": 200, "body": {}}, id="body is no text"),
            pytest.param({"statusCode": 200, "body": b""}, id="bytes"),
            pytest.param({"statusCode": 200, "body": float("nan")}, id="NaN"),
            pytest.param({"statusCode": 200, "body": "\ud800"}, id="lone surrogate"),
            pytest.param({"statusCode": 200, "headers": {"A": "b\r\nC: d"}}, id="header with a line break"),
            pytest.param({"statusCode": 200, "headers": {"A": "\u2603"}}, id="header is not latin-1"),
            pytest.param({"statusCode": 200, "headers": {"A b": "c"}}, id="header name with a space"),
            pytest.param({"statusCode": 200, "multiValueHeaders": {"A": "b"}}, id="header is no list"),
            pytest.param({"statusCode": 200, "body": "*", "isBase64Encoded": True}, id="not base64"),
            pytest.param({"statusCode": 200, "body": "a" * MAX_ANSWER}, id="too large"),
        ],
    )
    def test_what_is_no_answer_is_refused(self, answer: object) -> None:
        """The service is as strict; better found here."""
        with pytest.raises((ValueError, TypeError)):
            reply_of(answer, decode=True)


class TestLambdaContext:
    """The second argument of a handler."""

    def test_remaining_time_never_is_negative(self) -> None:
        """It is told in milliseconds, and ends at zero."""
        assert LambdaContext("f", "1", lambda: 1.5).get_remaining_time_in_millis() == 1500
        assert LambdaContext("f", "1", lambda: -1).get_remaining_time_in_millis() == 0

    def test_function_has_an_arn_and_a_log_group(self) -> None:
        """Loggers ask for them."""
        context = LambdaContext("list_jobs", "1", lambda: 1)

        assert context.invoked_function_arn.endswith(":function:list_jobs")
        assert context.log_group_name == "/aws/lambda/list_jobs"
