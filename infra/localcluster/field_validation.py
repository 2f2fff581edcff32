"""fieldValidation=Strict: the fields of a Job that Kubernetes does not know, by the client library's own models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kubernetes import client

from infra.localcluster.status_errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.localcluster.kinds import Document

_MODEL = re.compile(r"(?:[Ll]ist\[)?(V1\w+)\]?")


def check_unknown_fields(job: Document) -> None:
    """Refusal 400 that names every field of *job* that is unknown."""
    unknown = [f'unknown field "{field}"' for field in _unknown(job, client.V1Job, "")]
    if unknown:
        told = f"strict decoding error: {', '.join(unknown)}"
        raise bad_request(f'Job in version "v1" cannot be handled as a Job: {told}')


def _unknown(value: Any, model: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from _unknown(one, model, f"{path}[{number}]")
    elif isinstance(value, dict):
        attributes = {field: attribute for attribute, field in model.attribute_map.items()}
        for field, inner in value.items():
            place = f"{path}.{field}".lstrip(".")
            if field not in attributes:
                yield place
            elif found := _MODEL.fullmatch(model.openapi_types[attributes[field]]):
                yield from _unknown(inner, getattr(client, found[1]), place)
