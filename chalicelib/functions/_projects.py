"""The Projects of the caller of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes import cluster
from chalicelib.settings import settings
from chalicelib.usecases.list_projects import list_projects

if TYPE_CHECKING:
    from chalicelib.domain.names import ProjectName
    from chalicelib.runtime.http import Request
    from chalicelib.usecases.list_projects import ProjectView


def projects_of_caller(request: Request) -> list[ProjectView]:
    """Return the Projects whose Jobs the caller may list, sorted by name."""
    connection = cluster.connect(settings())

    def may_use(project: ProjectName) -> bool:
        return connection.may_list_jobs(project, request.require_caller(), request.deadline)

    return list_projects(connection.namespaces(request.deadline), may_use)
