"""List the Projects a caller may use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

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
    """A Project the caller may use. `createdAt` is milliseconds since 1970."""

    name: str
    namespace: str
    created_at: Milliseconds


def list_projects(namespaces: Sequence[Namespace], may_use: Callable[[ProjectName], bool]) -> list[ProjectView]:
    """The Projects among *namespaces* that the caller may use, by name."""
    projects = sorted((one for one in map(_project, namespaces) if one), key=lambda one: one.name)
    with ThreadPoolExecutor(PARALLEL) as pool:
        verdicts = pool.map(lambda one: may_use(project_name(one.name)), projects)
        return [one for one, allowed in zip(projects, verdicts, strict=True) if allowed]


def project_of(namespace: Namespace) -> ProjectName | None:
    """The name of the Project that *namespace* is, or None when its label and its name do not say the same."""
    try:
        name = project_name(namespace.metadata.labels.get(PROJECT_LABEL, ""))
    except MalformedRequest:
        return None
    return name if namespace_of(name) == namespace.metadata.name else None


def rotated(namespaces: Sequence[Namespace], turn: int) -> list[tuple[Namespace, ProjectName]]:
    """The Projects by name, each *turn* from another one on: where one takes all the time, the others have theirs."""
    by_name = sorted(namespaces, key=lambda one: one.metadata.name)
    found = [(one, project) for one in by_name if (project := project_of(one))]
    first = turn % len(found) if found else 0
    return found[first:] + found[:first]


def _project(namespace: Namespace) -> ProjectView | None:
    name, meta = project_of(namespace), namespace.metadata
    return None if name is None else ProjectView(name, meta.name, milliseconds(meta.creation_timestamp) or 0)
