"""The route table of a Chalice app, matched as API Gateway matches its resources."""

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
    """A path of the API, with variables in it, and the view of each method."""

    path: str
    views: Mapping[str, RouteEntry]

    def variables(self, path: str) -> dict[str, str] | None:
        """Return the path parameters, still percent-encoded, if *path* matches this resource, otherwise None."""
        pattern = "".join(
            rf"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(_VARIABLE.split(self.path))
        )
        match = re.fullmatch(pattern, path)
        return match.groupdict() if match else None

    @property
    def cors(self) -> CORSConfig | None:
        """The CORS configuration of the preflight, if any view has one."""
        # Chalice's type says that a view always has one.
        configs: list[CORSConfig | None] = [view.cors for view in self.views.values()]
        return next((cors for cors in configs if cors is not None), None)

    @property
    def methods(self) -> list[str]:
        """The methods of the path, with OPTIONS if there is a preflight."""
        return sorted({*self.views, *(["OPTIONS"] if self.cors else [])})


class Routes:
    """All resources, those without variables first."""

    def __init__(self, table: Mapping[str, Mapping[str, RouteEntry]]) -> None:
        resources = [Resource(path, dict(views)) for path, views in table.items() if views]
        self._resources = sorted(resources, key=lambda resource: [part[:1] == "{" for part in resource.path.split("/")])

    def find(self, path: str) -> tuple[Resource, dict[str, str]] | None:
        """Return the resource and the path parameters for *path*; API Gateway ignores one trailing slash."""
        normalized = path.removesuffix("/") or "/"
        for resource in self._resources:
            variables = resource.variables(normalized)
            if variables is not None:
                return resource, variables
        return None
