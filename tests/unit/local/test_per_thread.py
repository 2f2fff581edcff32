"""One Chalice app, many threads."""

from __future__ import annotations

from chalice.app import Chalice

from infra.local.per_thread import give_each_thread_its_own_request


def test_each_app_gets_its_own_once() -> None:
    """Several gateways may serve one app, one after the other; a second app has a request of its own."""
    first, second = (Chalice("test", configure_logs=False) for _ in range(2))
    for app in (first, second):
        give_each_thread_its_own_request(app)
    kind, context = type(first), object()

    give_each_thread_its_own_request(first)
    first.lambda_context = context  # type: ignore[assignment]  # any object will do

    assert type(first) is kind
    assert second.lambda_context is None
