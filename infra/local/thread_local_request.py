"""Lets one Chalice app answer many requests at once.

In a Lambda one environment has one request at a time, and Chalice counts on it: it keeps the request and the
context in plain attributes of the app, which all threads of a server would share. Views close over the app (or
over a Blueprint, which asks its app and can be registered only once), so an app for each thread would not do.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalice.app import Chalice


class _ThreadLocal:
    """An attribute of which each thread sees its own value; a data descriptor, so it beats the instance's dict."""

    def __init__(self) -> None:
        self._own = threading.local()

    def __get__(self, owner: object, kind: type) -> Any:  # noqa: ANN401 - what Chalice put there
        return getattr(self._own, "value", None)

    def __set__(self, owner: object, value: object) -> None:
        self._own.value = value


def give_each_thread_its_own_request(app: Chalice) -> None:
    """Makes the two attributes of *app* that Chalice sets for each request private to the thread that set them."""
    if isinstance(vars(type(app)).get("current_request"), _ThreadLocal):
        return
    private = {"current_request": _ThreadLocal(), "lambda_context": _ThreadLocal()}
    app.__class__ = type("ThreadedChalice", (type(app),), private)
