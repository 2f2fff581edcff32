"""The proxy event and the proxy answer, as API Gateway documents them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from infra.local.lambda_proxy import MAX_RESPONSE, LambdaContext, ProxyRequest, response_from

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

    def test_request_becomes_an_event(self) -> None:
        """Path and path parameters stay as sent, the query is decoded; of repetitions the last wins where one fits."""
        headers = [("X-A", "1"), ("X-A", "2"), ("Host", "h:1"), ("User-Agent", "curl")]
        event = request("/jobs/a%2Fb?a=1&a=%C3%BC+b&c=", headers, project="a%2Fb").event(BINARY)

        assert (event["path"], event["pathParameters"]) == ("/jobs/a%2Fb", {"project": "a%2Fb"})
        assert event["resource"] == "/jobs/{project}"
        assert event["multiValueQueryStringParameters"] == {"a": ["1", "ü b"], "c": [""]}
        assert event["queryStringParameters"] == {"a": "ü b", "c": ""}
        assert event["multiValueHeaders"] == {"X-A": ["1", "2"], "Host": ["h:1"], "User-Agent": ["curl"]}
        assert event["headers"] == {"X-A": "2", "Host": "h:1", "User-Agent": "curl"}
        assert event["requestContext"].items() >= {
            "requestId": "id-1", "stage": "api", "path": "/jobs/a%2Fb", "resourcePath": "/jobs/{project}",
            "httpMethod": "POST", "identity": {"sourceIp": "127.0.0.1", "userAgent": "curl"}, "domainName": "h:1",
            "requestTime": "15/Jan/2027:08:00:00 +0000", "requestTimeEpoch": 1_800_000_000_500,
        }.items()  # fmt: skip

    def test_what_is_missing_is_null(self) -> None:
        """API Gateway sends null for an empty map and an empty body."""
        event = request("/x").event(BINARY)

        empty = {name for name, value in event.items() if value is None}
        assert empty == {
            "body", "headers", "multiValueHeaders", "multiValueQueryStringParameters", "pathParameters",
            "queryStringParameters", "stageVariables",
        }  # fmt: skip
        assert event["isBase64Encoded"] is False

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

        reply = response_from(answer, decode=False)

        assert reply.status == 201
        assert reply.headers == [("A", "1"), ("B", "2"), ("C", "true"), ("Set-Cookie", "x"), ("Set-Cookie", "y")]
        assert reply.body == "ü".encode()

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
            pytest.param({"statusCode": 200, "body": "a" * MAX_RESPONSE}, id="too large"),
        ],
    )
    def test_what_is_no_answer_is_refused(self, answer: object) -> None:
        """The service is as strict; better found here."""
        with pytest.raises((ValueError, TypeError)):
            response_from(answer, decode=True)


class TestLambdaContext:
    """The second argument of a handler."""

    def test_knows_its_time_and_its_names(self) -> None:
        """The remaining time is told in milliseconds and never is negative; loggers ask for ARN and log group."""
        context, over = LambdaContext("list_jobs", "1", lambda: 1.5), LambdaContext("list_jobs", "1", lambda: -1)

        assert (context.get_remaining_time_in_millis(), over.get_remaining_time_in_millis()) == (1500, 0)
        assert context.invoked_function_arn.endswith(":function:list_jobs")
        assert context.log_group_name == "/aws/lambda/list_jobs"
