"""The route table of a Chalice app, looked up as API Gateway looks up its resources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import CORSConfig, RouteEntry

_VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Resource:
    """One path of the API, with variables in it, and the view that each method has there."""

    path: str
    views: Mapping[str, RouteEntry]

    def variables(self, path: str) -> dict[str, str] | None:
        """The path parameters when *path* is of this resource, else None; they stay percent-encoded."""
        pattern = "".join(
            rf"(?P<{part}>[^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(_VARIABLE.split(self.path))
        )
        hit = re.fullmatch(pattern, path)
        return hit.groupdict() if hit else None

    @property
    def cors(self) -> CORSConfig | None:
        """What the preflight answers, if any view allows other origins."""
        # Chalice declares that there always is one.
        configs: list[CORSConfig | None] = [view.cors for view in self.views.values()]
        return next((cors for cors in configs if cors is not None), None)

    @property
    def methods(self) -> list[str]:
        """What the path answers, OPTIONS too when there is a preflight."""
        return sorted({*self.views, *(["OPTIONS"] if self.cors else [])})


class Routes:
    """All resources, those without variables first."""

    def __init__(self, table: Mapping[str, Mapping[str, RouteEntry]]) -> None:
        resources = [Resource(path, dict(views)) for path, views in table.items() if views]
        self._resources = sorted(resources, key=lambda one: [part[:1] == "{" for part in one.path.split("/")])

    def find(self, path: str) -> tuple[Resource, dict[str, str]] | None:
        """The resource of *path* and the path parameters; one slash at the end is forgiven, as API Gateway does."""
        bare = path.removesuffix("/") or "/"
        for resource in self._resources:
            variables = resource.variables(bare)
            if variables is not None:
                return resource, variables
        return None
