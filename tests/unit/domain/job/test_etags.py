"""ETags of a Job."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain.errors import PreconditionFailed
from chalicelib.domain.job.etags import IF_MATCH_PATTERN, etag_of, matches, required_version

TAG = etag_of("4711", "the view")


class TestTagOf:
    """What a Job's view is known by."""

    def test_is_an_entity_tag(self) -> None:
        """Quoted, as RFC 9110 writes a strong one, and as the document says."""
        assert re.fullmatch(IF_MATCH_PATTERN, TAG)

    @pytest.mark.parametrize("other", [etag_of("4712", "the view"), etag_of("4711", "the view with a pod")])
    def test_changes_with_the_job_and_with_its_pods(self, other: str) -> None:
        """A pod that cannot be scheduled changes the view, and not the Job."""
        assert other != TAG


class TestIsKnown:
    """`If-None-Match`."""

    @pytest.mark.parametrize("header", [TAG, f"W/{TAG}", f'"1.00000000", {TAG}', "*", " * "])
    def test_the_tag_or_any(self, header: str) -> None:
        """One of several, weak ones too, or whatever is there."""
        assert matches(TAG, header)

    @pytest.mark.parametrize("header", [None, "", '"1.00000000"', "4711"])
    def test_another_or_none(self, header: str | None) -> None:
        """A tag of before says nothing about now."""
        assert not matches(TAG, header)


class TestVersionIn:
    """`If-Match`."""

    @pytest.mark.parametrize(("header", "version"), [(TAG, "4711"), (None, None), ("*", None)])
    def test_the_version_of_the_tag(self, header: str | None, version: str | None) -> None:
        """The cluster compares versions, the checksum is ours; whoever does not care gets no condition."""
        assert required_version(header) == version

    @pytest.mark.parametrize("header", ["", "4711", '"4711"', '"x.9f3a21c0"', f"{TAG}, {TAG}", f"W/{TAG}", TAG + "\n"])
    def test_what_is_no_tag_matches_nothing(self, header: str) -> None:
        """A condition that cannot be read must not be dropped."""
        with pytest.raises(PreconditionFailed):
            required_version(header)
