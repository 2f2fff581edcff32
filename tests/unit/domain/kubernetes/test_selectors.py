"""Label selectors, made from checked parts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, LabelSelector
from chalicelib.domain.kubernetes.selectors import MAX_TERMS, SELECTOR_PATTERN, job_selector, pod_selector
from chalicelib.domain.labels import is_label_key, is_label_value
from tests.support.builders import job

USER, TYPE = "researcher.dev/user", "researcher.dev/type"


class TestJobSelector:
    """Which Jobs a list asks the cluster for."""

    def test_nothing_asked_selects_all(self) -> None:
        """The empty selector."""
        assert not job_selector(None, None, None)

    @pytest.mark.parametrize(
        ("label", "user", "job_type", "expected"),
        [
            pytest.param("a=b", None, None, "a=b", id="label"),
            pytest.param("a==b,c!=d", None, None, "a==b,c!=d", id="operators stay"),
            pytest.param("a!=", None, None, "a!=", id="not the empty value"),
            pytest.param("x.y/a=b", None, None, "x.y/a=b", id="key with a domain"),
            pytest.param(None, "alice", None, f"{USER}=alice", id="user"),
            pytest.param(None, None, "Train", f"{TYPE}!=Interactive", id="type"),
            pytest.param(f"{USER}=bob", "alice", "Train", f"{USER}=bob,{USER}=alice,{TYPE}!=Interactive", id="all"),
        ],
    )
    def test_terms(self, label: str | None, user: str | None, job_type: str | None, expected: str) -> None:
        """Every filter that is asked for is a term; all must hold."""
        assert expected == job_selector(label, user, job_type)

    @pytest.mark.parametrize(
        "label",
        [
            pytest.param("a", id="key alone"),
            pytest.param("a in (b)", id="set"),
            pytest.param("a>1", id="comparison"),
            pytest.param("a=b,", id="comma at the end"),
            pytest.param("a=b,,c=d", id="empty term"),
            pytest.param("a=b&limit=1", id="another parameter"),
            pytest.param("a=b\n", id="trailing newline"),
            pytest.param("X.y/a=b", id="capital in the domain"),
            pytest.param("a=" + "b" * 64, id="value too long"),
            pytest.param("a" * 64 + "=b", id="key too long"),
            pytest.param("ä=b", id="not ASCII"),
        ],
    )
    def test_anything_else_is_refused(self, label: str) -> None:
        """A text that is no list of equalities is not passed on, whatever the cluster might make of it."""
        with pytest.raises(MalformedRequest) as refused:
            job_selector(label, None, None)

        rule = "must have at most 16 comma-separated terms such as team=vision or stage!=test"
        assert (FieldError("/label", rule),) == refused.value.errors

    def test_sixteen_terms_and_no_more(self) -> None:
        """The cluster's work is bounded."""
        job_selector(",".join(["a=b"] * MAX_TERMS), None, None)

        with pytest.raises(MalformedRequest):
            job_selector(",".join(["a=b"] * (MAX_TERMS + 1)), None, None)

    @pytest.mark.parametrize("user", ["alice,researcher.dev/type=Train", "alice)", "alice=bob", "a b", "ä", "a" * 128])
    def test_user_cannot_add_a_term(self, user: str) -> None:
        """A user of odd characters is looked for by its hash."""
        assert re.fullmatch(r"researcher\.dev/user=sha256-[0-9a-f]{40}", job_selector(None, user, None))

    @given(st.from_regex(SELECTOR_PATTERN.strip("^$"), fullmatch=True))
    def test_what_the_document_takes_is_taken_or_too_long(self, label: str) -> None:
        """The OpenAPI document's pattern and the code agree, but for the length of a domain."""
        keys = [re.split("!=|=+", term)[0] for term in label.split(",")]

        if all(is_label_key(key) for key in keys):
            assert label == job_selector(label, None, None)

    @given(st.text(alphabet="ab./-_=!, \n(", max_size=12))
    def test_whatever_passes_has_checked_parts(self, label: str) -> None:
        """No text of these marks gets past with a key or a value that is none."""
        try:
            passed = job_selector(label, None, None)
        except MalformedRequest:
            return
        for term in passed.split(",") if passed else []:
            key, value = re.split("!=|==|=", term)
            assert is_label_key(key)
            assert is_label_value(value)


def by_own_selector(labels: dict[str, str]) -> Job:
    """A Job of a long name whose pods are found by *labels*."""
    spec = JobSpec(manual_selector=True, selector=LabelSelector(match_labels=labels))
    return job("x" * 100, spec=spec)


class TestPodSelector:
    """Which pods belong to Jobs."""

    @pytest.mark.parametrize(
        ("jobs", "selector"),
        [
            ([job("a")], "batch.kubernetes.io/job-name in (a)"),
            ([job("a"), job("x" * 64), job("b.c")], "batch.kubernetes.io/job-name in (a,b.c)"),
            ([job("x" * 64), job("y" * 253)], None),
            ([], None),
            ([by_own_selector({"a": "b", "c": ""})], "a=b,c="),
            ([by_own_selector({})], None),
            ([by_own_selector({str(number): "" for number in range(MAX_TERMS + 1)})], None),
            ([by_own_selector({"a": "b"}), job("b")], "batch.kubernetes.io/job-name in (b)"),
        ],
    )
    def test_only_what_the_cluster_can_read(self, jobs: list[Job], selector: str | None) -> None:
        """One selector for many Jobs, by Kubernetes' label; a name that is too long for a label is no value of one."""
        assert pod_selector(jobs) == selector
