"""The errors of the client, and the exit code of the command line for each.

ResearcherError (1)
├── UsageError (64)            an argument or a file is not valid; nothing was sent
├── NotSignedIn (77)           without a token, or it could not be refreshed
├── Unavailable (69)           no response from the API or the token issuer
├── IncompatibleServer (69)    the client cannot use the response of this server
├── WaitTimeout (124)          the time limit of a wait has passed; the Job goes on
├── JobFailed                  the Job has failed: the exit code of its container, or 1
└── ApiError                   an error response: a problem document
    ├── Refused (64)           400, 409, 412, 413, 415, 422: change the request
    ├── NotAllowed (77)        401, 403
    ├── NotFound (66)          404, 410: the Job or its log does not exist, or no longer
    └── ServerError (69)       429 and 5xx, also after the retries
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ResearcherError(Exception):
    """Any error of this client."""

    exit_code = 1


class UsageError(ResearcherError):
    """An argument, a setting or a file is not valid; no request was sent."""

    exit_code = 64


class NotSignedIn(ResearcherError):
    """There is no access token, or it cannot be refreshed."""

    exit_code = 77


class Unavailable(ResearcherError):
    """The API or the token issuer did not respond."""

    exit_code = 69


class IncompatibleServer(ResearcherError):
    """The response lacks what this client needs: the server is older or newer."""

    exit_code = 69

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The response of this server is not a {what} that this client knows: "
            "`researcher version` compares the versions of both; update the older one."
        )


class WaitTimeout(ResearcherError):
    """The time limit has passed; the Job goes on."""

    exit_code = 124


class JobFailed(ResearcherError):
    """The Job has failed."""

    def __init__(self, name: str, *, code: int | None, cause: str, remedy: str, log_tail: str) -> None:
        ended = f" with exit code {code}" if code is not None else ""
        super().__init__(f"{name} failed{ended}: {cause}{_full_stop(cause)} {remedy}".strip())
        self.name = name
        self.container_exit_code = code
        self.exit_code = code or 1
        self.cause = cause
        self.remedy = remedy
        self.log_tail = log_tail


class ApiError(ResearcherError):
    """An error response of the API, with the members of its problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any], request_id: str = "") -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail") or f"The server responded with status {status}.")
        self.errors: list[tuple[str, str]] = [
            (str(each.get("pointer", "")), str(each.get("message", "")))
            for each in problem.get("errors") or []
            if isinstance(each, dict)
        ]
        self.request_id = request_id
        self.repeated = False
        """Whether an earlier attempt of the same request was sent, and its response was lost."""
        super().__init__(self.detail)

    def __str__(self) -> str:
        """Return one sentence for each refused field, or the detail."""
        if not self.errors:
            return self.detail
        return "\n".join(f"{_field(pointer)} {message}{_full_stop(message)}" for pointer, message in self.errors)

    def names(self, *fields: str) -> bool:
        """Return whether the server refuses one of *fields* or parameters."""
        pointers = {pointer.removeprefix("/job/").strip("/").partition("/")[0] for pointer, _ in self.errors}
        return bool(pointers & set(fields))


class Refused(ApiError):
    """The request is not valid, or does not fit the state of the Job."""

    exit_code = 64


class NotAllowed(ApiError):
    """The token is missing or refused, or the caller has no right to do this."""

    exit_code = 77


class NotFound(ApiError):
    """What the request names does not exist, or no longer."""

    exit_code = 66


class ServerError(ApiError):
    """The API or the cluster cannot answer now."""

    exit_code = 69


def api_error(status: int, problem: Mapping[str, Any], request_id: str = "") -> ApiError:
    """Return the error for a response."""
    kind: type[ApiError] = Refused
    if status in {401, 403}:
        kind = NotAllowed
    elif status in {404, 410}:
        kind = NotFound
    elif status == 429 or status >= 500:  # noqa: PLR2004 - statuses
        kind = ServerError
    return kind(status, problem, request_id)


def _field(pointer: str) -> str:
    """Return a JSON pointer as people write it: `/job/pvc/0/size` is `pvc[0].size`."""
    name = ""
    for part in pointer.removeprefix("/job/").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        name += f"[{key}]" if key.isdigit() else f".{key}" if name else key
    return name or "The request"


def _full_stop(message: str) -> str:
    return "" if message.endswith((".", "!", "?")) else "."
