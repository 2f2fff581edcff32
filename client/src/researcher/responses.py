"""Responses of the API: documents, errors from problem documents, and Retry-After."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from researcher.errors import ApiError, Unavailable, api_error

if TYPE_CHECKING:
    from researcher.connection import Response


class Answer:
    """A successful response; *repeated* if an earlier attempt was sent, and its response was lost."""

    def __init__(self, response: Response, *, repeated: bool = False) -> None:
        self.repeated = repeated
        self.status = response.status
        self.headers = response.headers
        self.body = response.body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def document(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body as JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unavailable("The response is not JSON: is this the URL of a Researcher REST API?") from error


def checked(response: Response, *, repeated: bool) -> Response:
    """Return a successful response; raise ApiError for another one, and Unavailable for a redirect."""
    if response.status < HTTPStatus.BAD_REQUEST and not 301 <= response.status < 304:  # noqa: PLR2004 - redirects
        return response
    if location := response.headers.get("location") if response.status < HTTPStatus.BAD_REQUEST else None:
        raise Unavailable(f"The server redirects to {urlsplit(location).netloc}: use the URL of the API itself.")
    error = _error(response)
    error.repeated = repeated
    raise error


def _error(response: Response) -> ApiError:
    try:
        problem = json.loads(response.body)
    except ValueError:
        problem = None
    return api_error(
        response.status, problem if isinstance(problem, dict) else {}, response.headers.get("x-request-id", "")
    )


def is_certificate_error(error: Exception) -> bool:
    """Return whether a TLS handshake failed because of the certificate, which a retry does not change."""
    return type(error).__name__ == "SSLCertVerificationError"


def parse_retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header: a number, or an HTTP date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
