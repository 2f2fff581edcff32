"""The functions that get events, invoked through boto3 as any Lambda is."""

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

SEEN: list[object] = []
CALLED = threading.Event()


def echo(document: object, context: LambdaContext) -> object:
    """Says what it was told, by what name, and until when."""
    SEEN.append(document)
    CALLED.set()
    return {"document": document, "name": context.function_name, "left": context.get_remaining_time_in_millis()}


def failing(document: object, context: LambdaContext) -> object:
    """Raises."""
    raise RuntimeError(f"{context.function_name} does not like {document}")


def impatient(_document: object, _context: LambdaContext) -> object:
    """Times out by itself."""
    raise TimeoutError("its own")


def slow(_document: object, _context: LambdaContext) -> object:
    """Never ends."""
    return threading.Event().wait(30)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """The Lambda API of a local AWS."""
    with LocalAws(
        Functions({"echo": echo, "failing": failing, "impatient": impatient, "slow": slow}, seconds=1.0)
    ) as aws:
        client: Any = boto3.client("lambda", **aws.connection)
        yield client
        client.close()


class TestInvoke:
    """`aws lambda invoke`."""

    @pytest.mark.parametrize("document", [{}, {"dryRun": True}, [1, "ü"], None])
    def test_hands_on_the_document(self, client: Any, document: object) -> None:  # noqa: ANN401 - boto3's
        """And what the function returns; it knows how long it may run."""
        answer = client.invoke(FunctionName="echo", Payload=json.dumps(document).encode())

        returned = json.loads(answer["Payload"].read())
        assert (answer["StatusCode"], returned["document"], returned["name"]) == (200, document, "echo")
        assert 0 < returned["left"] <= 1000

    def test_event_is_not_waited_for(self, client: Any) -> None:  # noqa: ANN401 - boto3's
        """It is accepted, and comes; a document that is none reaches no function."""
        CALLED.clear()

        answer = client.invoke(FunctionName="echo", InvocationType="Event", Payload=b'{"event": 1}')
        with pytest.raises(ClientError, match="InvalidRequestContentException"):
            client.invoke(FunctionName="echo", Payload=b"{")

        assert answer["StatusCode"] == 202
        assert CALLED.wait(30)
        assert SEEN[-1] == {"event": 1}

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("failing", {"errorMessage": "failing does not like None", "errorType": "RuntimeError"}),
            ("impatient", {"errorMessage": "its own", "errorType": "TimeoutError"}),
            ("slow", {"errorMessage": "Task timed out after 1.00 seconds", "errorType": "Sandbox.Timedout"}),
        ],
    )
    def test_failure_is_told(self, client: Any, name: str, error: dict[str, str]) -> None:  # noqa: ANN401 - boto3's
        """In Lambda's own form, with 200; who gives no document hands on none."""
        answer = client.invoke(FunctionName=name)

        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        assert json.loads(answer["Payload"].read()) == error
