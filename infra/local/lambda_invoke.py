"""Lambda's Invoke API for the functions that receive events: a JSON document in, the result or the error out.

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
from infra.local.lambda_run import FunctionError, run_with_timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalice.app import Chalice

    Handler = Callable[[Any, LambdaContext], object]

SECONDS = 900.0
"""Lambda's maximum timeout."""
MAX_DOCUMENT = 6 * 2**20

_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


@dataclass(frozen=True)
class InvokeResult:
    """The response of the API to an invocation."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Functions:
    """The functions by name; each may run for *seconds*."""

    def __init__(self, handlers: Mapping[str, Handler], seconds: float = SECONDS) -> None:
        self._handlers = handlers
        self._seconds = seconds

    def invoke(self, name: str, document: object) -> object:
        """Return the result of the function; raise FunctionError if it raises, TimeoutError if it takes too long."""
        end = time.monotonic() + self._seconds
        context = LambdaContext(name, str(uuid.uuid4()), lambda: end - time.monotonic())
        return run_with_timeout(lambda: self._handlers[name](document, context), self._seconds)

    def answer(self, name: str, kind: str, body: bytes) -> InvokeResult:
        """Invoke a function and return the response; *kind* is RequestResponse, or Event, which does not wait."""
        if name not in self._handlers:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        try:
            document = json.loads(body or b"null")
        except (ValueError, RecursionError):
            return _error(400, "InvalidRequestContentException", "Could not parse request body into json")
        if kind == "Event":
            threading.Thread(target=self._run, args=(name, document), daemon=True).start()
            return InvokeResult(202)
        return self._run(name, document)

    def _run(self, name: str, document: object) -> InvokeResult:
        try:
            return InvokeResult(200, json.dumps(self.invoke(name, document)).encode())
        except FunctionError as error:
            error_document = {"errorMessage": str(error.__cause__), "errorType": str(error)}
        except TimeoutError:
            error_document = {
                "errorMessage": f"Task timed out after {self._seconds:.2f} seconds",
                "errorType": "Sandbox.Timedout",
            }
        return InvokeResult(200, json.dumps(error_document).encode(), {"X-Amz-Function-Error": "Unhandled"})


def functions_of(app: Chalice) -> Functions:
    """Return the functions of *app* that receive events."""
    return Functions({function.name: app.handler_map[function.name] for function in app.pure_lambda_functions})


def function_name(path: str) -> str | None:
    """Return the function that a request to *path* invokes, or None if the path is not of the Invoke API."""
    match = _INVOKE.fullmatch(path)
    return match[1] if match else None


def _error(status: int, code: str, message: str) -> InvokeResult:
    return InvokeResult(status, json.dumps({"Type": "User", "Message": message}).encode(), {"X-Amzn-ErrorType": code})
