"""The route table, matched as API Gateway does."""

from __future__ import annotations

import pytest
from chalice.app import Chalice

from infra.local.routes import Routes


def routes() -> Routes:
    """Return overlapping routes."""
    app = Chalice("test", configure_logs=False)
    for path in ("/", "/jobs", "/jobs/{project}", "/jobs/{project}/{name}", "/jobs/{project}/latest", "/a.b"):
        app.route(path, methods=["GET"], name="get" + path)(lambda **_: None)
    return Routes(app.routes)


@pytest.mark.parametrize(
    ("path", "resource", "variables"),
    [
        pytest.param("/", "/", {}, id="root"),
        pytest.param("/jobs/", "/jobs", {}, id="trailing slash"),
        pytest.param("/jobs/a/b", "/jobs/{project}/{name}", {"project": "a", "name": "b"}, id="two variables"),
        pytest.param("/jobs/a/latest", "/jobs/{project}/latest", {"project": "a"}, id="static before variable"),
        pytest.param("/jobs/a%2Fb", "/jobs/{project}", {"project": "a%2Fb"}, id="stays percent-encoded"),
        *((path, None, {}) for path in ("/unknown", "/jobs//b", "/jobs/a/b/c", "/aXb", "/jobs/a//")),
    ],
)
def test_path_matches_its_resource(path: str, resource: str | None, variables: dict[str, str]) -> None:
    """Fixed segments take precedence; a variable is never empty and never contains a slash."""
    found = routes().find(path)

    assert (found and found[0].path, found[1] if found else {}) == (resource, variables)
