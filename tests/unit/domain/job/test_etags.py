"""Tests of the ETags of Jobs."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain.errors import PreconditionFailed
from chalicelib.domain.job.etags import IF_MATCH_PATTERN, ChangeSince, etag_of, matches, required_version

TAG = etag_of("4711", "body")


class TestEtagOf:
    """Tests of etag_of."""

    def test_is_a_strong_etag(self) -> None:
        """The format is that of RFC 9110 and of the OpenAPI document."""
        assert re.fullmatch(IF_MATCH_PATTERN, TAG)

    @pytest.mark.parametrize("other", [etag_of("4712", "body"), etag_of("4711", "body with a pod")])
    def test_changes_with_the_job_and_with_its_pods(self, other: str) -> None:
        """An unschedulable pod changes the response, but not the resource version of the Job."""
        assert other != TAG


class TestMatches:
    """Tests of matches, for If-None-Match."""

    @pytest.mark.parametrize("header", [TAG, f"W/{TAG}", f'"1.00000000", {TAG}', "*", " * "])
    def test_match(self, header: str) -> None:
        """The ETag matches in a list, as a weak ETag, and for `*`."""
        assert matches(TAG, header)

    @pytest.mark.parametrize("header", [None, "", '"1.00000000"', "4711"])
    def test_no_match(self, header: str | None) -> None:
        """An old ETag, an invalid one and a missing header do not match."""
        assert not matches(TAG, header)


class TestRequiredVersion:
    """Tests of required_version, for If-Match."""

    @pytest.mark.parametrize(("header", "version"), [(TAG, "4711"), (None, None), ("*", None)])
    def test_resource_version(self, header: str | None, version: str | None) -> None:
        """The precondition is the resource version in the ETag; without the header, or with `*`, there is none."""
        assert required_version(header) == version

    @pytest.mark.parametrize("header", ["", "4711", '"4711"', '"x.9f3a21c0"', f"{TAG}, {TAG}", f"W/{TAG}", TAG + "\n"])
    def test_invalid_header(self, header: str) -> None:
        """An invalid precondition fails, instead of being ignored."""
        with pytest.raises(PreconditionFailed):
            required_version(header)


class TestChangeSince:
    """Tests of ChangeSince: a wait for a change."""

    def test_other_etag_is_a_change(self) -> None:
        """A Job that differs from what the caller knows is returned at once, and so is one that it does not know."""
        assert not ChangeSince(TAG).has_come(TAG, "4711", "Pending")
        assert ChangeSince(TAG).has_come(etag_of("4711", "other"), "4711", "Pending")
        assert ChangeSince(None).has_come(TAG, "4711", "Pending")

    @pytest.mark.parametrize(
        ("version", "status", "expected"),
        [("4711", "Pending", False), ("4712", "Pending", True), ("4711", "ContainerCreating", True)],
    )
    def test_only_version_and_status_count_while_waiting(self, version: str, status: str, expected: bool) -> None:
        """A message about a pod that alternates between two errors does not end the wait."""
        change = ChangeSince(TAG)
        change.has_come(TAG, "4711", "Pending")

        assert change.has_come(etag_of("4711", "another message"), version, status) is expected
