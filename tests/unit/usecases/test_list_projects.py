"""List the Projects that a caller may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import ClusterUnavailable
from chalicelib.domain.kubernetes.jobs import Namespace, ObjectMeta
from chalicelib.domain.labels import PROJECT_LABEL
from chalicelib.usecases.list_projects import ProjectView, list_projects, rotated
from tests.support.builders import NOW, NOW_MS

if TYPE_CHECKING:
    from chalicelib.domain.names import ProjectName


def namespace(name: str, project: str | None = None) -> Namespace:
    """Return a namespace with the label of *project*."""
    labels = {} if project is None else {PROJECT_LABEL: project}
    return Namespace(metadata=ObjectMeta(name=name, labels=labels, creation_timestamp=NOW))


def may_use_all(_: ProjectName) -> bool:
    """Return True: the caller may use every Project."""
    return True


class TestListProjects:
    """Namespaces that are Projects and that the caller may use."""

    def test_allowed_projects_sorted_by_name(self) -> None:
        """Each Project is reviewed."""
        namespaces = [namespace(f"researcher-team-{team}", f"team-{team}") for team in "cab"]

        found = list_projects(namespaces, {"team-a": True, "team-b": False, "team-c": True}.__getitem__)

        expected = [
            ProjectView("team-a", "researcher-team-a", NOW_MS),
            ProjectView("team-c", "researcher-team-c", NOW_MS),
        ]
        assert expected == found

    @pytest.mark.parametrize(
        ("name", "project"),
        [
            pytest.param("researcher-a", None, id="no label"),
            pytest.param("researcher-a", "b", id="label of another"),
            pytest.param("kube-system", "kube-system", id="no prefix"),
            pytest.param("a", "researcher-a", id="prefix on the wrong side"),
            pytest.param("researcher-" + "a" * 51, "a" * 51, id="too long"),
        ],
    )
    def test_namespace_that_is_not_a_project(self, name: str, project: str | None) -> None:
        """Label and name must match, so a label alone does not make kube-system a Project."""
        reviewed: list[ProjectName] = []

        def allow(project: ProjectName) -> bool:
            reviewed.append(project)
            return True

        found = list_projects([namespace(name, project)], allow)

        assert (found, reviewed) == ([], [])

    def test_failed_review_is_raised(self) -> None:
        """An incomplete list would be misleading."""

        def unreachable(_: ProjectName) -> bool:
            raise ClusterUnavailable("Try again.")

        with pytest.raises(ClusterUnavailable):
            list_projects([namespace("researcher-a", "a")], unreachable)

    def test_many_projects(self) -> None:
        """There are more Projects than concurrent reviews, and each has its own result."""
        namespaces = [namespace(f"researcher-p{number}", f"p{number}") for number in range(100)]

        found = list_projects(namespaces, lambda project: int(project[1:]) % 3 == 0)

        assert {f"p{number}" for number in range(0, 100, 3)} == {project.name for project in found}

    def test_empty_and_unusual_lists(self) -> None:
        """No namespaces, no permissions, or a namespace without a creation time."""
        unusual = namespace("researcher-a", "a")
        unusual.metadata.creation_timestamp = None

        assert [*list_projects([], may_use_all), *list_projects([unusual], lambda _: False), *rotated([], 7)] == []
        assert list_projects([unusual], may_use_all) == [ProjectView("a", "researcher-a", 0)]


class TestRotated:
    """The rotation of Projects."""

    def test_begins_with_the_next_project(self) -> None:
        """The order is by name, and namespaces that are not Projects are omitted."""
        namespaces = [namespace("kube-system"), *(namespace(f"researcher-{team}", team) for team in "cab")]

        found = [[project for _, project in rotated(namespaces, turn)] for turn in range(4)]

        assert found == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]
