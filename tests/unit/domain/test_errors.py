"""The catalogue of errors."""

from __future__ import annotations

import re

import msgspec
import pytest

from chalicelib.domain import errors
from chalicelib.domain.errors import CATALOGUE, FieldError, InvalidJob, JobCleanedUp, JobNotFound, ResearcherError


class TestCatalogue:
    """Every error a caller can meet."""

    def test_every_error_is_in_it_once(self) -> None:
        """Codes are unique, so that a client can tell the errors apart."""
        tree = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ResearcherError)]

        assert set(tree) - {ResearcherError} == set(CATALOGUE.values())

    @pytest.mark.parametrize("error", CATALOGUE.values(), ids=lambda error: error.code)
    def test_code_is_the_name_of_the_class(self, error: type[ResearcherError]) -> None:
        """The code in an answer leads to the class in the source."""
        words = re.findall(r"[A-Z][a-z]+", error.__name__)

        assert "_".join(words).lower() == error.code

    @pytest.mark.parametrize("error", CATALOGUE.values(), ids=lambda error: error.code)
    def test_tree_in_the_docstring_is_true(self, error: type[ResearcherError]) -> None:
        """The module opens with every class and its status: clients depend on both, so neither changes unseen."""
        assert f"{error.__name__} ({error.status})" in (errors.__doc__ or "")

    def test_tree_in_the_docstring_has_no_more(self) -> None:
        """Nor does it draw a class that is gone."""
        nonce = re.findall(r"[├└]── (\w+) \(", (errors.__doc__ or "").replace(" ", " "))

        assert sorted(one.__name__ for one in CATALOGUE.values()) == sorted(nonce)


class TestProblem:
    """An error as RFC 9457 writes it."""

    def test_full(self) -> None:
        """Type, title, status, detail, code, the request and each refused field."""
        error = InvalidJob("The Job was refused.", (FieldError("/gpu", "is too many"),))

        wire = msgspec.to_builtins(error.problem("req-1"))

        expected = {
            "type": "urn:researcher:problem:invalid_job",
            "title": "Invalid Job",
            "status": 422,
            "detail": "The Job was refused.",
            "code": "invalid_job",
            "instance": "urn:researcher:request:req-1",
            "errors": ({"pointer": "/gpu", "message": "is too many"},),
        }
        assert expected == wire

    @pytest.mark.parametrize("request_id", [None, ""])
    def test_without_request_or_fields_they_are_left_out(self, request_id: str | None) -> None:
        """An empty list or null says nothing; a log of the exception and the answer say the same."""
        assert (str(JobNotFound("No.")), JobNotFound("No.").retry_after) == ("No.", None)
        wire = msgspec.to_builtins(JobNotFound("No.").problem(request_id))

        assert {"type", "title", "status", "detail", "code"} == wire.keys()

    def test_receipt_is_a_member_of_its_own(self) -> None:
        """Beside what every problem has; a null says nothing."""
        kept = JobCleanedUp("It is gone.", receipt={"name": "train-1"})

        assert msgspec.to_builtins(kept.problem("req-1"))["receipt"] == {"name": "train-1"}
        assert "receipt" not in msgspec.to_builtins(JobCleanedUp("It is gone.").problem("req-1"))
