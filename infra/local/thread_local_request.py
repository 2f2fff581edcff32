"""Makes one Chalice app safe for concurrent requests.

A Lambda execution environment handles one request at a time, and Chalice relies on it: it stores the request and the
context in plain attributes of the app, which all threads of a server would share. One app per thread is not possible,
because views hold a reference to the app, or to a Blueprint, which can be registered only once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalice.app import Chalice


class _ThreadLocal:
    """An attribute with one value per thread; a data descriptor, so it takes precedence over the instance's dict."""

    def __init__(self) -> None:
        self._local = threading.local()

    def __get__(self, owner: object, kind: type) -> Any:  # noqa: ANN401 - set by Chalice
        return getattr(self._local, "value", None)

    def __set__(self, owner: object, value: object) -> None:
        self._local.value = value


def use_thread_local_request(app: Chalice) -> None:
    """Make the two attributes that Chalice sets on *app* for each request thread-local."""
    if isinstance(vars(type(app)).get("current_request"), _ThreadLocal):
        return
    attributes = {"current_request": _ThreadLocal(), "lambda_context": _ThreadLocal()}
    app.__class__ = type("ThreadedChalice", (type(app),), attributes)
