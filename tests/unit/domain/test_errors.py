"""Tests of the error classes."""

from __future__ import annotations

import re

import msgspec
import pytest

from chalicelib.domain import errors
from chalicelib.domain.errors import CATALOGUE, FieldError, InvalidJob, JobCleanedUp, JobNotFound, ResearcherError


class TestCatalogue:
    """Tests of the catalogue."""

    def test_contains_every_error_once(self) -> None:
        """The codes are unique."""
        tree = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ResearcherError)]

        assert set(tree) - {ResearcherError} == set(CATALOGUE.values())

    @pytest.mark.parametrize("error", CATALOGUE.values(), ids=lambda error: error.code)
    def test_code_is_the_name_of_the_class(self, error: type[ResearcherError]) -> None:
        """The code in a response identifies the class in the source."""
        words = re.findall(r"[A-Z][a-z]+", error.__name__)

        assert "_".join(words).lower() == error.code

    @pytest.mark.parametrize("error", CATALOGUE.values(), ids=lambda error: error.code)
    def test_tree_in_the_docstring_contains_the_class(self, error: type[ResearcherError]) -> None:
        """Clients depend on the codes and statuses, so a change must be visible in the module docstring."""
        assert f"{error.__name__} ({error.status})" in (errors.__doc__ or "")

    def test_tree_in_the_docstring_contains_no_other_class(self) -> None:
        """Removed classes are removed from the tree."""
        drawn = re.findall(r"[├└]── (\w+) \(", (errors.__doc__ or "").replace(" ", " "))

        assert sorted(error.__name__ for error in CATALOGUE.values()) == sorted(drawn)


class TestProblem:
    """Tests of the problem details (RFC 9457)."""

    def test_all_members(self) -> None:
        """The problem details contain every member, with the request and the invalid fields."""
        error = InvalidJob("The Job is invalid.", (FieldError("/gpu", "must be at most 64"),))

        wire = msgspec.to_builtins(error.problem("req-1"))

        expected = {
            "type": "urn:researcher:problem:invalid_job",
            "title": "Invalid Job",
            "status": 422,
            "detail": "The Job is invalid.",
            "code": "invalid_job",
            "instance": "urn:researcher:request:req-1",
            "errors": ({"pointer": "/gpu", "message": "must be at most 64"},),
        }
        assert expected == wire

    @pytest.mark.parametrize("request_id", [None, ""])
    def test_empty_members_are_omitted(self, request_id: str | None) -> None:
        """Members without a value are omitted; the message of the exception is the detail."""
        assert (str(JobNotFound("No.")), JobNotFound("No.").retry_after) == ("No.", None)
        wire = msgspec.to_builtins(JobNotFound("No.").problem(request_id))

        assert {"type", "title", "status", "detail", "code"} == wire.keys()

    def test_receipt_is_a_member(self) -> None:
        """Only JobCleanedUp has the member `receipt`, if there is a Receipt."""
        error = JobCleanedUp("Deleted.", receipt={"name": "train-1"})

        assert msgspec.to_builtins(error.problem("req-1"))["receipt"] == {"name": "train-1"}
        assert "receipt" not in msgspec.to_builtins(JobCleanedUp("Deleted.").problem("req-1"))
