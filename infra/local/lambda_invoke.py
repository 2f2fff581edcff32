"""Lambda's Invoke API for the functions that get events: a document in, what the function returns or raises out.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.local.lambda_proxy import LambdaContext
from infra.local.lambda_run import FunctionError, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalice.app import Chalice

    Handler = Callable[[Any, LambdaContext], object]

SECONDS = 900.0
"""Lambda's longest time-out."""
MAX_DOCUMENT = 6 * 2**20

_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


@dataclass(frozen=True)
class InvokeResult:
    """What the API answers to an invocation."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Functions:
    """The functions by name; each may run for *seconds*."""

    def __init__(self, handlers: Mapping[str, Handler], seconds: float = SECONDS) -> None:
        self._handlers = handlers
        self._seconds = seconds

    def invoke(self, name: str, document: object) -> object:
        """What the function returns; FunctionError when it raises, TimeoutError when it takes too long."""
        ends = time.monotonic() + self._seconds
        context = LambdaContext(name, str(uuid.uuid4()), lambda: ends - time.monotonic())
        return outcome_of(lambda: self._handlers[name](document, context), self._seconds)

    def answer(self, name: str, kind: str, body: bytes) -> InvokeResult:
        """What Lambda answers to an invocation of *kind*: RequestResponse waits for the function, Event does not."""
        if name not in self._handlers:
            return _refusal(404, "ResourceNotFoundException", f"Function not found: {name}")
        try:
            document = json.loads(body or b"null")
        except (ValueError, RecursionError):
            return _refusal(400, "InvalidRequestContentException", "Could not parse request body into json")
        if kind == "Event":
            threading.Thread(target=self._outcome, args=(name, document), daemon=True).start()
            return InvokeResult(202)
        return self._outcome(name, document)

    def _outcome(self, name: str, document: object) -> InvokeResult:
        try:
            return InvokeResult(200, json.dumps(self.invoke(name, document)).encode())
        except FunctionError as error:
            told = {"errorMessage": str(error.__cause__), "errorType": str(error)}
        except TimeoutError:
            told = {
                "errorMessage": f"Task timed out after {self._seconds:.2f} seconds",
                "errorType": "Sandbox.Timedout",
            }
        return InvokeResult(200, json.dumps(told).encode(), {"X-Amz-Function-Error": "Unhandled"})


def functions_of(app: Chalice) -> Functions:
    """The functions of *app* that get events."""
    return Functions({one.name: app.handler_map[one.name] for one in app.pure_lambda_functions})


def invoked_name(path: str) -> str | None:
    """The function that a request to *path* invokes, or None when it is for another API."""
    found = _INVOKE.fullmatch(path)
    return found[1] if found else None


def _refusal(status: int, code: str, message: str) -> InvokeResult:
    return InvokeResult(status, json.dumps({"Type": "User", "Message": message}).encode(), {"X-Amzn-ErrorType": code})
