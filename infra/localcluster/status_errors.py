"""The errors of the embedded API: Status objects with the messages of a real API server."""

from __future__ import annotations

from typing import Any

Causes = list[dict[str, str]]


class StatusError(Exception):
    """An error with its Status object."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(message)
        self.code = code
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
            "details": details,
        }


def not_found(resource: str, name: str) -> StatusError:
    """Return the error for a missing object; *resource* is qualified, such as `jobs.batch`."""
    plural, _, group = resource.partition(".")
    return StatusError(404, "NotFound", f'{resource} "{name}" not found', name=name, group=group, kind=plural)


def no_such_path() -> StatusError:
    """Return the error for an unknown path."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def not_allowed() -> StatusError:
    """Return the error for a method that the resource does not support."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def invalid(kind: str, name: str, causes: Causes) -> StatusError:
    """Return the error for an invalid object; each cause has a field and a message."""
    message = ", ".join(f"{cause['field']}: {cause['message']}" for cause in causes)
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {message}', name=name, kind=kind, causes=causes)


def forbidden(resource: str, name: str, reason: str) -> StatusError:
    """Return the error of RBAC or admission."""
    plural, _, group = resource.partition(".")
    target = f'{resource} "{name}"' if name else resource
    return StatusError(403, "Forbidden", f"{target} is forbidden: {reason}", name=name, group=group, kind=plural)


def bad_request(message: str) -> StatusError:
    """Return the error for a request that cannot be parsed."""
    return StatusError(400, "BadRequest", message)


def internal_error(message: str) -> StatusError:
    """Return the error for a request that failed on its way to a node."""
    return StatusError(500, "InternalError", message)


def conflict(resource: str, name: str, reason: str) -> StatusError:
    """Return the error for a failed precondition."""
    plural, _, group = resource.partition(".")
    message = f'Operation cannot be fulfilled on {resource} "{name}": {reason}'
    return StatusError(409, "Conflict", message, name=name, group=group, kind=plural)
