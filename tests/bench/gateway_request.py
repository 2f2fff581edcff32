"""Requests for a function, as events of API Gateway."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from infra.local.lambda_proxy import ProxyRequest

BASE = "/researcher/api/v1"
JOB = f"{BASE}/jobs/{{project}}/{{name}}"


class Request(NamedTuple):
    """A request for one endpoint; a star in *path* or *body* is replaced by the name of a Job."""

    method: str
    path: str
    resource: str
    body: dict[str, object] | None = None

    def event(self, bearer: str, name: str = "") -> dict[str, Any]:
        """Return the event of the request with the token *bearer*, for the Job *name*."""
        target = self.path.replace("*", name)
        parts = target.partition("?")[0].removeprefix(f"{BASE}/jobs/").split("/")
        values = dict(zip(_variables(self.resource), parts, strict=False))
        body = json.dumps(self.body).replace("*", name).encode() if self.body else b""
        headers = [("Authorization", f"Bearer {bearer}"), ("Content-Type", "application/json")]
        return ProxyRequest("r", "v1", self.resource, values, self.method, target, headers, body, 0.0).event(())


def _variables(resource: str) -> list[str]:
    return [part.strip("{}") for part in resource.split("/") if part.startswith("{")]
