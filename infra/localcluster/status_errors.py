"""What the embedded API refuses: the Status objects of a real one, in its words."""

from __future__ import annotations

from typing import Any

Causes = list[dict[str, str]]


class StatusError(Exception):
    """An error as Kubernetes answers it."""

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
    """There is no such object; *resource* is qualified, such as `jobs.batch`."""
    plural, _, group = resource.partition(".")
    return StatusError(404, "NotFound", f'{resource} "{name}" not found', name=name, group=group, kind=plural)


def no_such_path() -> StatusError:
    """There is nothing at that path."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def not_allowed() -> StatusError:
    """Nobody does that there."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def invalid(kind: str, name: str, causes: Causes) -> StatusError:
    """The object breaks the rules of its kind; each cause has a field and a message."""
    told = ", ".join(f"{cause['field']}: {cause['message']}" for cause in causes)
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {told}', name=name, kind=kind, causes=causes)


def forbidden(resource: str, name: str, why: str) -> StatusError:
    """RBAC or admission says no."""
    plural, _, group = resource.partition(".")
    named = f'{resource} "{name}"' if name else resource
    return StatusError(403, "Forbidden", f"{named} is forbidden: {why}", name=name, group=group, kind=plural)


def bad_request(message: str) -> StatusError:
    """The request cannot be read."""
    return StatusError(400, "BadRequest", message)


def conflict(resource: str, name: str, why: str) -> StatusError:
    """The object is not what the request takes it for."""
    plural, _, group = resource.partition(".")
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return StatusError(409, "Conflict", message, name=name, group=group, kind=plural)
