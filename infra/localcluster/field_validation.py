"""fieldValidation=Strict for Jobs: unknown fields are found with the models of the client library."""

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
    """Raise StatusError 400 that lists all unknown fields of *job*."""
    unknown = [f'unknown field "{field}"' for field in _unknown_fields(job, client.V1Job, "")]
    if unknown:
        errors = f"strict decoding error: {', '.join(unknown)}"
        raise bad_request(f'Job in version "v1" cannot be handled as a Job: {errors}')


def _unknown_fields(value: Any, model: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_fields(item, model, f"{path}[{index}]")
    elif isinstance(value, dict):
        attributes = {field: attribute for attribute, field in model.attribute_map.items()}
        for field, inner in value.items():
            field_path = f"{path}.{field}".lstrip(".")
            if field not in attributes:
                yield field_path
            elif found := _MODEL.fullmatch(model.openapi_types[attributes[field]]):
                yield from _unknown_fields(inner, getattr(client, found[1]), field_path)
