"""One Chalice app, many threads."""

from __future__ import annotations

import threading
from typing import Any

from chalice.app import Blueprint, Chalice

from infra.local.per_thread import give_each_thread_its_own_request


class TestGiveEachThreadItsOwnRequest:
    """The attributes that Chalice sets for each request."""

    def test_threads_do_not_see_each_other(self) -> None:
        """What one thread sets, another does not read, not even through a Blueprint."""
        app, views = Chalice("test", configure_logs=False), Blueprint("views")
        app.register_blueprint(views)
        give_each_thread_its_own_request(app)
        context: Any = object()
        app.lambda_context = context
        seen: list[object] = []

        thread = threading.Thread(target=lambda: seen.extend([app.lambda_context, views.lambda_context]))
        thread.start()
        thread.join()

        assert seen == [None, None]
        assert views.lambda_context is context

    def test_second_time_changes_nothing(self) -> None:
        """Several gateways may serve one app, one after the other."""
        app = Chalice("test", configure_logs=False)
        give_each_thread_its_own_request(app)
        kind = type(app)

        give_each_thread_its_own_request(app)

        assert type(app) is kind

    def test_apps_do_not_share(self) -> None:
        """A second app has a request of its own."""
        first, second = (Chalice("test", configure_logs=False) for _ in range(2))
        give_each_thread_its_own_request(first)
        give_each_thread_its_own_request(second)

        context: Any = object()
        first.lambda_context = context

        assert second.lambda_context is None
