"""Names of Projects and Jobs, before they reach a URL or a namespace."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.names import NEW_JOB_PATTERN, job_name, namespace_of, project_name

NO_NAMES = [
    pytest.param("", id="empty"),
    pytest.param(".", id="the folder itself"),
    pytest.param("..", id="the folder above"),
    pytest.param("a/../b", id="a path"),
    pytest.param("a%2f", id="percent-encoded"),
    pytest.param("a?b", id="a query"),
    pytest.param("a#b", id="a fragment"),
    pytest.param("a\n", id="trailing newline"),
    pytest.param("\na", id="leading newline"),
    pytest.param("a\x00", id="NUL"),
    pytest.param("a b", id="space"),
    pytest.param("A", id="capital"),
    pytest.param("a_b", id="underscore"),
    pytest.param("-a", id="leading hyphen"),
    pytest.param("a-", id="trailing hyphen"),
    pytest.param("a,b", id="comma"),
    pytest.param("\u0663", id="unicode digit"),
    pytest.param("\uff41", id="full-width letter"),
    pytest.param("\u0131", id="dotless i"),
    pytest.param("\ud800", id="lone surrogate"),
]


class TestProjectName:
    """A Project's name: a DNS label whose namespace fits into 63 characters."""

    @pytest.mark.parametrize("text", ["a", "0", "a-b", "a--b", "team-a", "0" * 50])
    def test_dns_label_is_taken(self, text: str) -> None:
        """Lower-case letters, digits and inner hyphens make a Project's name."""
        assert text == project_name(text)

    @pytest.mark.parametrize("text", [*NO_NAMES, "a.b", "a" * 51])
    def test_anything_else_is_refused(self, text: str) -> None:
        """No other text gets past, whatever the cluster or a URL would make of it."""
        with pytest.raises(MalformedRequest):
            project_name(text)

    def test_refusal_says_where_and_what_but_does_not_repeat_the_text(self) -> None:
        """The error names the place that was passed, and the rule; the hostile text stays out of it."""
        with pytest.raises(MalformedRequest) as refused:
            project_name("CANARY", "/0/project")

        rule = "must have 1 to 50 lower-case letters, digits and inner hyphens"
        assert (FieldError("/0/project", rule),) == refused.value.errors
        assert "CANARY" not in str(refused.value.problem())

    def test_place_is_the_path_parameter_unless_told(self) -> None:
        """Names of a path are refused at `/project`."""
        with pytest.raises(MalformedRequest) as refused:
            project_name("")

        assert refused.value.errors[0].pointer == "/project"


class TestJobName:
    """The name of an existing Job, which kubectl may have made."""

    @pytest.mark.parametrize("text", ["a", "0", "a.b", "a-1.b-2", "a" * 253, "a.b.c.d"])
    def test_dns_subdomain_is_taken(self, text: str) -> None:
        """Kubernetes takes dots in a Job's name, so Jobs of such names can be had and deleted."""
        assert text == job_name(text)

    @pytest.mark.parametrize("text", [*NO_NAMES, "a..b", ".a", "a.", "a.-b", "a-.b", "a" * 254, "a." * 126 + "aa"])
    def test_anything_else_is_refused(self, text: str) -> None:
        """In particular nothing that names the collection, or another namespace, once it stands in a URL."""
        with pytest.raises(MalformedRequest):
            job_name(text)

    @pytest.mark.parametrize(("given", "pointer"), [((), "/name"), (("/3/name",), "/3/name")])
    def test_refusal_says_where(self, given: tuple[str, ...], pointer: str) -> None:
        """The place is `/name` unless told."""
        with pytest.raises(MalformedRequest) as refused:
            job_name("..", *given)

        assert pointer == refused.value.errors[0].pointer


class TestNamespaceOf:
    """Where a Project is on the cluster."""

    def test_namespace_is_prefixed(self) -> None:
        """No Project can be kube-system or default."""
        assert namespace_of(project_name("kube-system")) == "researcher-kube-system"

    def test_longest_project_fits(self) -> None:
        """A namespace has at most 63 characters."""
        assert len(namespace_of(project_name("a" * 50))) <= 63


class TestNewJobPattern:
    """The pattern of the names that new Jobs may have."""

    @pytest.mark.parametrize("name", ["a", "0", "train-1", "a" * 52])
    def test_names_are_host_names(self, name: str) -> None:
        """Short enough for what Kubernetes appends."""
        assert re.fullmatch(NEW_JOB_PATTERN, name)

    @pytest.mark.parametrize("name", ["", "a.b", "-a", "a-", "A", "a" * 53])
    def test_nothing_else_is_one(self, name: str) -> None:
        """Stricter than the name of a Job that exists."""
        assert not re.fullmatch(NEW_JOB_PATTERN, name)
