"""Generate chalicelib/openapi.json from the routes, or check that it is current."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import app
from chalicelib import __version__
from chalicelib.domain.errors import Unauthenticated
from chalicelib.functions.openapi import DOCUMENT
from chalicelib.runtime.operation import BASE
from infra.openapi.examples import add_examples
from infra.openapi.parameters import parameters
from infra.openapi.responses import HEADERS, Responses
from infra.openapi.schemas import Schemas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from chalice.app import RouteEntry

    from chalicelib.runtime.operation import Operation

JsonObject = dict[str, Any]

INFO: JsonObject = {
    "title": "Researcher REST API",
    "version": __version__,
    "summary": "Submit, list, inspect and delete GPU training Jobs on Amazon EKS.",
    "description": (
        "Field names follow Run:ai's Researcher REST API. Request an access token with the client id and secret of an "
        "Application, and send it as `Authorization: Bearer <ACCESS-TOKEN>`. Requests are authorized by the cluster's "
        "RBAC, and Jobs are subject to its quotas and its scheduler.\n\n"
        "Errors are problem details (RFC 9457): `code` is stable and intended for programs, `detail` is intended for "
        "people. Every response has an `X-Request-Id`; include it when you ask for help."
    ),
    "contact": {"name": "The platform engineers who deployed this API"},
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
TAGS = {
    "Jobs": "GPU Jobs: the Kubernetes Jobs of a Project, whether they were created with this API or not.",
    "Projects": "Each Project is a namespace with its own quota and members, in which Jobs run.",
    "Service": "The API itself.",
}
SECURITY_SCHEMES: JsonObject = {
    "application": {
        "type": "oauth2",
        "description": "Request a token with the client id and secret of an Application.",
        "flows": {
            # A placeholder: functions/openapi.py sets the token URL of the deployment.
            "clientCredentials": {"tokenUrl": "https://issuer.invalid/oauth2/token", "scopes": {}}
        },
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Use an access token that you already have.",
    },
}
SERVER = "https://api.invalid" + BASE
"""A placeholder, since a client needs an absolute URL: functions/openapi.py sets the server of the deployment."""
WALK = (
    *(
        "get_me",
        "list_projects",
        "get_project",
        "submit_job",
        "list_jobs",
        "get_job",
        "job_events",
        "job_diagnosis",
        "job_logs",
    ),
    *("keep_job", "suspend_job", "resume_job", "clone_job", "retry_job", "health", "sign_in", "openapi"),
)
"""The order of the operations: with their examples, each works after the ones before it."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TOKEN: list[JsonObject] = [{"bearer": []}, {"application": []}]


def main(arguments: Sequence[str] | None = None, stored: Path = DOCUMENT) -> int:
    """Write the document; with `--check` only compare it, and return 1 if it is not current."""
    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="check that the document is current; write nothing")
    check = parser.parse_args(arguments).check
    text = render(document(app.app.routes))
    if not check:
        stored.write_text(text, encoding="utf-8")
    elif not stored.exists() or stored.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{stored.name} is not current. Generate it: python -m infra.openapi\n")
        return 1
    return 0


def render(generated: JsonObject) -> str:
    """Return the text of the document."""
    return json.dumps(generated, indent=2, ensure_ascii=False) + "\n"


def document(routes: Mapping[str, Mapping[str, RouteEntry]]) -> JsonObject:
    """Return the OpenAPI document of *routes* below the API's base path."""
    schemas = Schemas()
    responses = Responses(schemas)
    paths = {
        path.removeprefix(BASE): {
            method.lower(): operation(views[method], schemas, responses) for method in METHODS if method in views
        }
        for path, views in sorted(routes.items(), key=lambda route: _place(route[1]))
        if path.startswith(BASE + "/")
    }
    generated = {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": SERVER}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": responses.components,
            "headers": {name: header for name, header in HEADERS.items() if "description" in header},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }
    add_examples(generated)
    return generated


def operation(route: RouteEntry, schemas: Schemas, responses: Responses) -> JsonObject:
    """Return the OpenAPI operation of *route*; add its shared parts to *schemas* and *responses*."""
    view: Any = route.view_function  # chalicelib.runtime.http.endpoint sets both attributes
    source: Operation = view.operation
    # An operation without authentication that can still respond with 401 accepts an optional token.
    takes_token = view.authenticated or Unauthenticated in source.errors
    body = {"requestBody": _request_body(source, schemas)} if source.body else {}
    return {
        "operationId": route.view_name,
        "tags": [source.tag],
        "summary": source.summary,
        "description": source.description,
        "security": ([] if view.authenticated else [{}]) + (TOKEN if takes_token else []),
        "parameters": parameters(route.view_args, source),
        **body,
        "responses": responses.of(source, takes_token=takes_token),
    }


def _place(views: Mapping[str, RouteEntry]) -> int:
    """Return the place of a path in WALK; the page moves deletions to the end."""
    return min((WALK.index(view.view_name) for view in views.values() if view.view_name in WALK), default=len(WALK))


def _request_body(source: Operation, schemas: Schemas) -> JsonObject:
    examples = {
        summary.lower().replace(" ", "_"): {"summary": summary, "value": value}
        for summary, value in source.body_examples.items()
    }
    content = {"schema": schemas.request(source.body), "examples": examples}
    return {"required": True, "content": dict.fromkeys(source.body_types, content)}
