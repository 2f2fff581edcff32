"""Tests of the names of Projects and Jobs."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.names import NEW_JOB_PATTERN, job_name, namespace_of, project_name

INVALID = [
    pytest.param("", id="empty"),
    pytest.param(".", id="current directory"),
    pytest.param("..", id="parent directory"),
    pytest.param("a/../b", id="path"),
    pytest.param("a%2f", id="percent-encoded"),
    pytest.param("a?b", id="query"),
    pytest.param("a#b", id="fragment"),
    pytest.param("a\n", id="trailing newline"),
    pytest.param("\na", id="leading newline"),
    pytest.param("a\x00", id="NUL"),
    pytest.param("a b", id="space"),
    pytest.param("A", id="upper-case letter"),
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
    """Tests of project_name."""

    @pytest.mark.parametrize("text", ["a", "0", "a-b", "a--b", "team-a", "0" * 50])
    def test_dns_label_is_accepted(self, text: str) -> None:
        """A name has lower-case letters, digits and inner hyphens."""
        assert text == project_name(text)

    @pytest.mark.parametrize("text", [*INVALID, "a.b", "a" * 51])
    def test_other_text_is_rejected(self, text: str) -> None:
        """No other text is accepted, so it cannot reach a URL or the cluster."""
        with pytest.raises(MalformedRequest):
            project_name(text)

    def test_error_does_not_contain_the_text(self) -> None:
        """The error contains the pointer, the rule and a name in a legal form, and not the untrusted text."""
        with pytest.raises(MalformedRequest) as error:
            project_name("../CANARY", "/0/project")

        rule = "must have 1 to 50 lower-case letters, digits and inner hyphens; for example `canary`"
        assert (FieldError("/0/project", rule),) == error.value.errors
        assert "CANARY" not in str(error.value.problem())

    def test_default_pointer(self) -> None:
        """The default pointer is `/project`."""
        with pytest.raises(MalformedRequest) as error:
            project_name("")

        assert error.value.errors[0].pointer == "/project"


class TestJobName:
    """Tests of job_name."""

    @pytest.mark.parametrize("text", ["a", "0", "a.b", "a-1.b-2", "a" * 253, "a.b.c.d"])
    def test_dns_subdomain_is_accepted(self, text: str) -> None:
        """Kubernetes allows dots in the name of a Job, so that Jobs of kubectl can be read and deleted."""
        assert text == job_name(text)

    @pytest.mark.parametrize("text", [*INVALID, "a..b", ".a", "a.", "a.-b", "a-.b", "a" * 254, "a." * 126 + "aa"])
    def test_other_text_is_rejected(self, text: str) -> None:
        """In particular, no name can change the path of a URL to the collection or to another namespace."""
        with pytest.raises(MalformedRequest):
            job_name(text)

    @pytest.mark.parametrize(("arguments", "pointer"), [((), "/name"), (("/3/name",), "/3/name")])
    def test_pointer(self, arguments: tuple[str, ...], pointer: str) -> None:
        """The error contains the pointer; the default is `/name`."""
        with pytest.raises(MalformedRequest) as error:
            job_name("..", *arguments)

        assert pointer == error.value.errors[0].pointer


class TestNamespaceOf:
    """Tests of namespace_of."""

    def test_namespace_is_prefixed(self) -> None:
        """No Project can have the namespace kube-system or default."""
        assert namespace_of(project_name("kube-system")) == "researcher-kube-system"

    def test_longest_project_fits(self) -> None:
        """A namespace has at most 63 characters."""
        assert len(namespace_of(project_name("a" * 50))) <= 63


class TestNewJobPattern:
    """Tests of NEW_JOB_PATTERN."""

    @pytest.mark.parametrize("name", ["a", "0", "train-1", "a" * 52])
    def test_names_are_host_names(self, name: str) -> None:
        """The names are valid host names, with room for the suffix of pods."""
        assert re.fullmatch(NEW_JOB_PATTERN, name)

    @pytest.mark.parametrize("name", ["", "a.b", "-a", "a-", "A", "a" * 53])
    def test_other_names_are_rejected(self, name: str) -> None:
        """The pattern is stricter than for the name of an existing Job."""
        assert not re.fullmatch(NEW_JOB_PATTERN, name)
