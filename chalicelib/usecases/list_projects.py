"""List the Projects a caller may use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.job.view import Milliseconds, milliseconds
from chalicelib.domain.labels import PROJECT_LABEL
from chalicelib.domain.names import ProjectName, namespace_of, project_name
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.domain.kubernetes.jobs import Namespace


class ProjectView(msgspec.Struct, frozen=True, rename="camel"):
    """A Project that the caller may use. `createdAt` is in milliseconds since 1970."""

    name: Annotated[str, msgspec.Meta(description="The name of the Project.")]
    namespace: Annotated[str, msgspec.Meta(description="Its namespace in the cluster.")]
    created_at: Annotated[Milliseconds, msgspec.Meta(description="When it was created.")]


def list_projects(namespaces: Sequence[Namespace], may_use: Callable[[ProjectName], bool]) -> list[ProjectView]:
    """Return the Projects among *namespaces* that the caller may use, sorted by name."""
    projects = sorted(filter(None, map(_project, namespaces)), key=lambda project: project.name)
    with ThreadPoolExecutor(PARALLEL) as pool:
        results = pool.map(lambda project: may_use(project_name(project.name)), projects)
        return [project for project, allowed in zip(projects, results, strict=True) if allowed]


def project_of(namespace: Namespace) -> ProjectName | None:
    """Return the Project of *namespace*, or None if its label does not match its name."""
    try:
        name = project_name(namespace.metadata.labels.get(PROJECT_LABEL, ""))
    except MalformedRequest:
        return None
    return name if namespace_of(name) == namespace.metadata.name else None


def rotated(namespaces: Sequence[Namespace], turn: int) -> list[tuple[Namespace, ProjectName]]:
    """Return the Projects sorted by name and rotated by *turn*, so that a slow Project cannot starve the others."""
    by_name = sorted(namespaces, key=lambda namespace: namespace.metadata.name)
    projects = [(namespace, project) for namespace in by_name if (project := project_of(namespace))]
    first = turn % len(projects) if projects else 0
    return projects[first:] + projects[:first]


def _project(namespace: Namespace) -> ProjectView | None:
    name, meta = project_of(namespace), namespace.metadata
    return None if name is None else ProjectView(name, meta.name, milliseconds(meta.creation_timestamp) or 0)
