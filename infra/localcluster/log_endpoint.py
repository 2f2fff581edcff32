"""The `pods/log` subresource: the API server checks container and numbers, the kubelet returns the log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.localcluster import log_content
from infra.localcluster.status_errors import bad_request, internal_error, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.localcluster.kinds import Document


def read_pod_log(pod: Document, query: Mapping[str, str]) -> bytes | None:
    """Return the log of *pod* for *query*, or None if the pod has no node yet.

    Raises: StatusError 400 or 422, with the message of a real API server, if the query or the container is invalid.
    """
    name = pod["metadata"]["name"]
    options = _parse_options(name, query)
    container = query.get("container") or _only_container(pod)
    if container not in _container_names(pod, "initContainers", "containers"):
        raise bad_request(f"container {container} is not valid for pod {name}")
    if not pod["spec"].get("nodeName"):
        return None
    try:
        return log_content.read_log(pod, container, options, datetime.now(UTC))
    except log_content.NoLogError as error:
        raise bad_request(str(error)) from None
    except log_content.NodeUnreachableError:
        raise internal_error(f'Get "https://127.0.0.1:10250/containerLogs/{name}": dial tcp: i/o timeout') from None


def _parse_options(name: str, query: Mapping[str, str]) -> log_content.LogOptions:
    try:
        options = log_content.LogOptions.of(query)
    except ValueError as error:
        raise bad_request(f"strconv.ParseInt: {error}") from None
    causes = [
        {"reason": "FieldValueInvalid", "field": field, "message": f"Invalid value: {query[field]}: {rule}"}
        for field, minimum in log_content.NUMBERS.items()
        if field in query and int(query[field]) < minimum
        for rule in ["must be greater than or equal to 0" if minimum == 0 else "must be greater than 0"]
    ]
    if causes:
        raise invalid("PodLogOptions", name, causes)
    return options


def _only_container(pod: Document) -> str:
    names = _container_names(pod, "containers")
    if len(names) == 1:
        return names[0]
    message = f"a container name must be specified for pod {pod['metadata']['name']}"
    raise bad_request(f"{message}, choose one of: [{' '.join(names)}]" if names else message)


def _container_names(pod: Document, *fields: str) -> list[str]:
    return [container["name"] for field in fields for container in pod["spec"].get(field) or ()]
