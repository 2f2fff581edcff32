"""`python -m infra.openapi [--check]`: writes chalicelib/openapi.json from the routes, or only compares it."""

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
from infra.openapi.parameters import parameters
from infra.openapi.responses import HEADERS, Answers
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
        "Field names follow Run:ai's Researcher REST API. Request an access token with the client ID and secret of an "
        "Application and send it as `Authorization: Bearer <ACCESS-TOKEN>`. The cluster's own RBAC, quota and "
        "scheduler decide.\n\n"
        "Errors are problem details (RFC 9457): `code` is stable and meant for programs, `detail` is meant for people. "
        "Every response has an `X-Request-Id`; name it when you ask for help."
    ),
    "contact": {"name": "The platform engineers who deployed this API"},
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
TAGS = {
    "Jobs": "GPU Jobs: Kubernetes Jobs of a Project, made here or by other means.",
    "Projects": "Where Jobs run: each Project is a namespace with its own quota and members.",
    "Service": "The API itself.",
}
SECURITY_SCHEMES: JsonObject = {
    "application": {
        "type": "oauth2",
        "description": "Request a token with an Application's client ID and secret.",
        "flows": {
            # A placeholder: functions/openapi.py answers the token URL of the deployment.
            "clientCredentials": {"tokenUrl": "https://issuer.invalid/oauth2/token", "scopes": {}}
        },
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token that you have already.",
    },
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TOKEN: list[JsonObject] = [{"bearer": []}, {"application": []}]


def main(arguments: Sequence[str] | None = None, stored: Path = DOCUMENT) -> int:
    """Writes the document; with `--check` changes nothing and answers 1 when it is stale."""
    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args(arguments).check
    text = rendered(document(app.app.routes))
    if not check:
        stored.write_text(text, encoding="utf-8")
    elif not stored.exists() or stored.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{stored.name} is stale. Write it again: python -m infra.openapi\n")
        return 1
    return 0


def rendered(found: JsonObject) -> str:
    """The document as it is stored: the same facts make the same bytes."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def document(routes: Mapping[str, Mapping[str, RouteEntry]]) -> JsonObject:
    """The OpenAPI document of *routes*, without those outside the API's base path."""
    schemas = Schemas()
    answers = Answers(schemas)
    paths = {
        path.removeprefix(BASE): {
            method.lower(): operation(views[method], schemas, answers) for method in METHODS if method in views
        }
        for path, views in sorted(routes.items())
        if path.startswith(BASE + "/")
    }
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": BASE}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": answers.components,
            "headers": {name: header for name, header in HEADERS.items() if "description" in header},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def operation(route: RouteEntry, schemas: Schemas, answers: Answers) -> JsonObject:
    """What the document says of one view; what it shares with others enters *schemas* and *answers*."""
    view: Any = route.view_function  # chalicelib.runtime.http.endpoint gave it both attributes
    facts: Operation = view.operation
    # An operation for anybody that may still answer 401 takes a token where one is given.
    takes_token = view.authenticated or Unauthenticated in facts.errors
    body = {"requestBody": _request_body(facts, schemas)} if facts.body else {}
    return {
        "operationId": route.view_name,
        "tags": [facts.tag],
        "summary": facts.summary,
        "description": facts.description,
        "security": ([] if view.authenticated else [{}]) + (TOKEN if takes_token else []),
        "parameters": parameters(route.view_args, facts),
        **body,
        "responses": answers.of(facts, takes_token=takes_token),
    }


def _request_body(facts: Operation, schemas: Schemas) -> JsonObject:
    content = {"schema": schemas.request(facts.body), "example": facts.body_example}
    return {"required": True, "content": {"application/json": content}}
