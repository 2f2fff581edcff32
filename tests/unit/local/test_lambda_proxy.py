"""The proxy event and the proxy response, as API Gateway documents them."""

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
    """Return a POST request for the resource /jobs/{project}."""
    return ProxyRequest(
        "id-1", "api", "/jobs/{project}", variables, "POST", target, headers or [], body, epoch=1_800_000_000.5
    )


class TestEvent:
    """The event for the function."""

    def test_request_becomes_an_event(self) -> None:
        """Path and path parameters stay encoded, the query is decoded; single-value fields have the last value."""
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

    def test_empty_values_are_null(self) -> None:
        """API Gateway sends null for an empty map and for an empty body."""
        event = request("/x").event(BINARY)

        empty = {name for name, value in event.items() if value is None}
        assert empty == {
            "body", "headers", "multiValueHeaders", "multiValueQueryStringParameters", "pathParameters",
            "queryStringParameters", "stageVariables",
        }  # fmt: skip
        assert event["isBase64Encoded"] is False

    @pytest.mark.parametrize(
        ("content_type", "sent", "expected", "encoded"),
        [
            pytest.param("application/json", "ü".encode(), "ü", False, id="text"),
            pytest.param("application/json", b"\xff", "\ufffd", False, id="not UTF-8"),
            pytest.param("Image/PNG; x=y", b"\xff", base64.b64encode(b"\xff").decode(), True, id="binary"),
        ],
    )
    def test_body_is_text_unless_its_type_is_binary(
        self, content_type: str, sent: bytes, expected: str, *, encoded: bool
    ) -> None:
        """Only bodies of the API's binary types are base64."""
        event = request(headers=[("content-type", content_type)], body=sent).event(BINARY)

        assert (event["body"], event["isBase64Encoded"]) == (expected, encoded)


class TestResponseFrom:
    """The response of the function."""

    def test_result_becomes_a_response(self) -> None:
        """Status, headers and body are converted; a header with several values is sent several times."""
        result = {
            "statusCode": 201,
            "headers": {"A": "1", "B": 2, "C": True, "set-cookie": "overridden"},
            "multiValueHeaders": {"Set-Cookie": ["x", "y"]},
            "body": "ü",
        }

        response = response_from(result, decode=False)

        assert response.status == 201
        assert response.headers == [("A", "1"), ("B", "2"), ("C", "true"), ("Set-Cookie", "x"), ("Set-Cookie", "y")]
        assert response.body == "ü".encode()

    @pytest.mark.parametrize("name", ["WWW-Authenticate", "www-authenticate", "Date", "Server", "Connection"])
    @pytest.mark.parametrize("values", ["headers", "multiValueHeaders"])
    def test_header_is_renamed(self, name: str, values: str) -> None:
        """As API Gateway does, so that no test relies on a header that a deployed API does not send."""
        result = {"statusCode": 401, values: {name: "x" if values == "headers" else ["x"]}}

        assert response_from(result, decode=False).headers == [(f"x-amzn-Remapped-{name}", "x")]

    @pytest.mark.parametrize(
        "result",
        [
            pytest.param(None, id="null"),
            pytest.param("text", id="text"),
            pytest.param({}, id="no status"),
            pytest.param({"statusCode": "200"}, id="status is a string"),
            pytest.param({"statusCode": 42}, id="invalid status"),
            pytest.param({"statusCode": 200, "unknown": 1}, id="unknown key"),
            pytest.param({"statusCode": 200, "body": {}}, id="body is not a string"),
            pytest.param({"statusCode": 200, "body": b""}, id="bytes"),
            pytest.param({"statusCode": 200, "body": float("nan")}, id="NaN"),
            pytest.param({"statusCode": 200, "body": "\ud800"}, id="lone surrogate"),
            pytest.param({"statusCode": 200, "headers": {"A": "b\r\nC: d"}}, id="header with a line break"),
            pytest.param({"statusCode": 200, "headers": {"A": "\u2603"}}, id="header is not latin-1"),
            pytest.param({"statusCode": 200, "headers": {"A b": "c"}}, id="header name with a space"),
            pytest.param({"statusCode": 200, "multiValueHeaders": {"A": "b"}}, id="header is not a list"),
            pytest.param({"statusCode": 200, "body": "*", "isBase64Encoded": True}, id="not base64"),
            pytest.param({"statusCode": 200, "body": "a" * MAX_RESPONSE}, id="too large"),
        ],
    )
    def test_invalid_result_is_rejected(self, result: object) -> None:
        """A result that API Gateway would not accept is rejected here, too."""
        with pytest.raises((ValueError, TypeError)):
            response_from(result, decode=True)


class TestLambdaContext:
    """The second argument of a handler."""

    def test_remaining_time_and_names(self) -> None:
        """The remaining time is in milliseconds and never negative; ARN and log group are those of the function."""
        context, expired = LambdaContext("list_jobs", "1", lambda: 1.5), LambdaContext("list_jobs", "1", lambda: -1)

        assert (context.get_remaining_time_in_millis(), expired.get_remaining_time_in_millis()) == (1500, 0)
        assert context.invoked_function_arn.endswith(":function:list_jobs")
        assert context.log_group_name == "/aws/lambda/list_jobs"
