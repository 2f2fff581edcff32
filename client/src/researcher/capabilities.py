"""What a server offers, according to its OpenAPI document: a newer server has more than the client was made for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from researcher.errors import ApiError, Unavailable

if TYPE_CHECKING:
    from researcher.transport import Transport


class Capabilities:
    """Reads the document once, when it is needed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document; empty if the server does not have it."""
        try:
            found = self._transport.send("GET", "/openapi.json", anonymous=True).document()
        except (ApiError, Unavailable):
            return {}
        return found if isinstance(found, dict) else {}

    def has_field(self, name: str) -> bool:
        """Return whether a submission can have this member."""
        return name in _get(self.document, "components", "schemas", "Submission", "properties")

    def has_parameter(self, path: str, method: str, name: str) -> bool:
        """Return whether an operation has this parameter."""
        parameters = _get(self.document, "paths", path, method).get("parameters") or []
        return any(
            isinstance(each, dict) and (each.get("name") == name or str(each.get("$ref", "")).endswith(f"/{name}"))
            for each in parameters
        )

    def has_path(self, path: str) -> bool:
        """Return whether there are operations at this path."""
        return path in _get(self.document, "paths")

    @property
    def version(self) -> str:
        """The version of the API; empty if it is not known."""
        return str(_get(self.document, "info").get("version", ""))

    @property
    def token_url(self) -> str | None:
        """The token endpoint for Applications."""
        schemes = _get(self.document, "components", "securitySchemes")
        for scheme in schemes.values():
            url = _get(scheme, "flows", "clientCredentials").get("tokenUrl") if isinstance(scheme, dict) else None
            if isinstance(url, str):
                return url
        return None


def _get(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return the object at *path*; an empty one if there is none."""
    for name in path:
        found = document.get(name)
        if not isinstance(found, dict):
            return {}
        document = found
    return document
