"""The functions that receive events, invoked with boto3."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from infra.local.lambda_invoke import Functions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.lambda_proxy import LambdaContext

RECEIVED: list[object] = []
CALLED = threading.Event()


def echo(document: object, context: LambdaContext) -> object:
    """Return the document, the function's name and the remaining time."""
    RECEIVED.append(document)
    CALLED.set()
    return {"document": document, "name": context.function_name, "remaining": context.get_remaining_time_in_millis()}


def failing(document: object, context: LambdaContext) -> object:
    """Raise an error."""
    raise RuntimeError(f"{context.function_name} rejects {document}")


def timing_out(_document: object, _context: LambdaContext) -> object:
    """Raise a TimeoutError itself."""
    raise TimeoutError("its own")


def slow(_document: object, _context: LambdaContext) -> object:
    """Exceed the timeout."""
    return threading.Event().wait(30)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Return a Lambda client for a local AWS."""
    with LocalAws(
        Functions({"echo": echo, "failing": failing, "timing_out": timing_out, "slow": slow}, seconds=1.0)
    ) as aws:
        client: Any = boto3.client("lambda", **aws.connection)
        yield client
        client.close()


class TestInvoke:
    """`aws lambda invoke`."""

    @pytest.mark.parametrize("document", [{}, {"dryRun": True}, [1, "ü"], None])
    def test_document_and_result_are_passed_through(self, client: Any, document: object) -> None:  # noqa: ANN401 - boto3's
        """The function receives the document and its remaining time, and its result is result."""
        response = client.invoke(FunctionName="echo", Payload=json.dumps(document).encode())

        result = json.loads(response["Payload"].read())
        assert (response["StatusCode"], result["document"], result["name"]) == (200, document, "echo")
        assert 0 < result["remaining"] <= 1000

    def test_event_is_invoked_asynchronously(self, client: Any) -> None:  # noqa: ANN401 - boto3's
        """An event is accepted with 202 and delivered; a document that is not JSON is rejected."""
        CALLED.clear()

        response = client.invoke(FunctionName="echo", InvocationType="Event", Payload=b'{"event": 1}')
        with pytest.raises(ClientError, match="InvalidRequestContentException"):
            client.invoke(FunctionName="echo", Payload=b"{")

        assert response["StatusCode"] == 202
        assert CALLED.wait(30)
        assert RECEIVED[-1] == {"event": 1}

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("failing", {"errorMessage": "failing rejects None", "errorType": "RuntimeError"}),
            ("timing_out", {"errorMessage": "its own", "errorType": "TimeoutError"}),
            ("slow", {"errorMessage": "Task timed out after 1.00 seconds", "errorType": "Sandbox.Timedout"}),
        ],
    )
    def test_error_is_returned_in_the_format_of_lambda(self, client: Any, name: str, error: dict[str, str]) -> None:  # noqa: ANN401 - boto3's
        """An error is result with status 200 in Lambda's format; without a payload the function receives None."""
        response = client.invoke(FunctionName=name)

        assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
        assert json.loads(response["Payload"].read()) == error
