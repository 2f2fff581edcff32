"""The Projects a caller may use."""

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
    """A namespace, labelled as *project*."""
    labels = {} if project is None else {PROJECT_LABEL: project}
    return Namespace(metadata=ObjectMeta(name=name, labels=labels, creation_timestamp=NOW))


def everything(_: ProjectName) -> bool:
    """The verdict on a caller who may use all."""
    return True


class TestListProjects:
    """Namespaces that are Projects, and that the caller may use."""

    def test_those_the_caller_may_use_by_name(self) -> None:
        """The cluster's verdict decides, Project by Project."""
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
    def test_namespace_that_is_no_project(self, name: str, project: str | None) -> None:
        """Label and name must say the same: a label alone does not make kube-system a Project."""
        asked: list[ProjectName] = []

        def yes(one: ProjectName) -> bool:
            asked.append(one)
            return True

        found = list_projects([namespace(name, project)], yes)

        assert (found, asked) == ([], [])

    def test_verdict_that_cannot_be_had_fails_the_list(self) -> None:
        """A list that leaves out Projects without saying so would be believed."""

        def unreachable(_: ProjectName) -> bool:
            raise ClusterUnavailable("Try again.")

        with pytest.raises(ClusterUnavailable):
            list_projects([namespace("researcher-a", "a")], unreachable)

    def test_many(self) -> None:
        """More than are asked about at once; each keeps its own verdict."""
        namespaces = [namespace(f"researcher-p{number}", f"p{number}") for number in range(100)]

        found = list_projects(namespaces, lambda one: int(one[1:]) % 3 == 0)

        assert {f"p{number}" for number in range(0, 100, 3)} == {one.name for one in found}

    def test_little_is_known(self) -> None:
        """No namespaces, no rights, or an odd namespace, of which the creation is unknown: none breaks the list."""
        odd = namespace("researcher-a", "a")
        odd.metadata.creation_timestamp = None

        assert [*list_projects([], everything), *list_projects([odd], lambda _: False), *rotated([], 7)] == []
        assert list_projects([odd], everything) == [ProjectView("a", "researcher-a", 0)]


class TestInTurn:
    """Projects one after the other."""

    def test_begins_with_another_one_each_time(self) -> None:
        """By name, whatever the order in which the cluster lists them; what is no Project is left out."""
        namespaces = [namespace("kube-system"), *(namespace(f"researcher-{team}", team) for team in "cab")]

        found = [[project for _, project in rotated(namespaces, turn)] for turn in range(4)]

        assert found == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]
