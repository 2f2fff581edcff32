"""Tests of label selectors."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, LabelSelector
from chalicelib.domain.kubernetes.selectors import (
    MAX_TERMS,
    SELECTOR_PATTERN,
    has_equality,
    job_selector,
    pod_selector,
    selects,
)
from chalicelib.domain.labels import is_label_key, is_label_value
from tests.support.builders import job

USER, TYPE = "researcher.dev/user", "researcher.dev/type"


class TestJobSelector:
    """Tests of job_selector."""

    def test_without_filters(self) -> None:
        """Without filters, the selector is empty and selects all Jobs."""
        assert not job_selector(None, None, None)

    @pytest.mark.parametrize(
        ("label", "user", "job_type", "expected"),
        [
            pytest.param("a=b", None, None, "a=b", id="label"),
            pytest.param("a==b,c!=d", None, None, "a==b,c!=d", id="operators"),
            pytest.param("a!=", None, None, "a!=", id="not the empty value"),
            pytest.param("x.y/a=b", None, None, "x.y/a=b", id="key with a domain"),
            pytest.param(None, "alice", None, f"{USER}=alice", id="user"),
            pytest.param(None, None, "Train", f"{TYPE}!=Interactive", id="type"),
            pytest.param(f"{USER}=bob", "alice", "Train", f"{USER}=bob,{USER}=alice,{TYPE}!=Interactive", id="all"),
        ],
    )
    def test_terms(self, label: str | None, user: str | None, job_type: str | None, expected: str) -> None:
        """Every filter adds a term; all terms must match."""
        assert expected == job_selector(label, user, job_type)

    @pytest.mark.parametrize(
        "label",
        [
            pytest.param("a", id="key alone"),
            pytest.param("a in (b)", id="set"),
            pytest.param("a>1", id="comparison"),
            pytest.param("a=b,", id="trailing comma"),
            pytest.param("a=b,,c=d", id="empty term"),
            pytest.param("a=b&limit=1", id="another parameter"),
            pytest.param("a=b\n", id="trailing newline"),
            pytest.param("X.y/a=b", id="upper-case letter in the domain"),
            pytest.param("a=" + "b" * 64, id="value too long"),
            pytest.param("a" * 64 + "=b", id="key too long"),
            pytest.param("ä=b", id="not ASCII"),
        ],
    )
    def test_other_selectors_are_rejected(self, label: str) -> None:
        """Only comma-separated equality terms are passed to the cluster."""
        with pytest.raises(MalformedRequest) as error:
            job_selector(label, None, None)

        rule = "must have at most 16 comma-separated terms such as team=vision or stage!=test"
        assert (FieldError("/label", rule),) == error.value.errors

    def test_number_of_terms_is_limited(self) -> None:
        """At most 16 terms are accepted."""
        job_selector(",".join(["a=b"] * MAX_TERMS), None, None)

        with pytest.raises(MalformedRequest):
            job_selector(",".join(["a=b"] * (MAX_TERMS + 1)), None, None)

    @pytest.mark.parametrize("user", ["alice,researcher.dev/type=Train", "alice)", "alice=bob", "a b", "ä", "a" * 128])
    def test_user_cannot_add_a_term(self, user: str) -> None:
        """A user name that is not a valid label value is selected by its hash."""
        assert re.fullmatch(r"researcher\.dev/user=sha256-[0-9a-f]{40}", job_selector(None, user, None))

    @given(st.from_regex(SELECTOR_PATTERN.strip("^$"), fullmatch=True))
    def test_pattern_agrees_with_the_check(self, label: str) -> None:
        """Every selector that matches the pattern is accepted, unless a domain is too long."""
        keys = [re.split("!=|=+", term)[0] for term in label.split(",")]

        if all(is_label_key(key) for key in keys):
            assert label == job_selector(label, None, None)

    @given(st.text(alphabet="ab./-_=!, \n(", max_size=12))
    def test_accepted_selectors_are_valid(self, label: str) -> None:
        """No selector with an invalid key or value is accepted."""
        try:
            selector = job_selector(label, None, None)
        except MalformedRequest:
            return
        for term in selector.split(",") if selector else []:
            key, value = re.split("!=|==|=", term)
            assert is_label_key(key)
            assert is_label_value(value)


class TestSelects:
    """Tests of selects and has_equality."""

    @pytest.mark.parametrize(
        ("label", "expected"),
        [
            ("a=1", True), ("a==1", True), ("a=2", False), ("a!=1", False), ("a!=2", True), ("b!=1", True),
            ("b=1", False), ("b=", False), ("c=", True), ("c!=", False), ("a=1,b!=1", True), ("a=1,c=1", False),
        ],
    )  # fmt: skip
    def test_as_the_cluster(self, label: str, expected: bool) -> None:
        """An inequality also selects objects without the label; an equality with nothing needs the label."""
        assert selects(label, {"a": "1", "c": ""}) is expected

    @pytest.mark.parametrize(
        ("label", "expected"),
        [("a=1", True), ("a==1", True), ("b!=2,a=1", True), ("a!=1", False), ("a=", False), ("a==", False)],
    )
    def test_equality(self, label: str, expected: bool) -> None:
        """An empty value does not count."""
        assert has_equality(label) is expected


def manual_selector_job(labels: dict[str, str]) -> Job:
    """Return a Job with a long name and `manualSelector`, whose pods have *labels*."""
    spec = JobSpec(manual_selector=True, selector=LabelSelector(match_labels=labels))
    return job("x" * 100, spec=spec)


class TestPodSelector:
    """Tests of pod_selector."""

    @pytest.mark.parametrize(
        ("jobs", "selector"),
        [
            ([job("a")], "batch.kubernetes.io/job-name in (a)"),
            ([job("a"), job("x" * 64), job("b.c")], "batch.kubernetes.io/job-name in (a,b.c)"),
            ([job("x" * 64), job("y" * 253)], None),
            ([], None),
            ([manual_selector_job({"a": "b", "c": ""})], "a=b,c="),
            ([manual_selector_job({})], None),
            ([manual_selector_job({str(number): "" for number in range(MAX_TERMS + 1)})], None),
            ([manual_selector_job({"a": "b"}), job("b")], "batch.kubernetes.io/job-name in (b)"),
        ],
    )
    def test_selector(self, jobs: list[Job], selector: str | None) -> None:
        """Several Jobs have one selector by name, without names that are too long for a label value."""
        assert pod_selector(jobs) == selector
