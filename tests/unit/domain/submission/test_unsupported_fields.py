"""Run:ai's fields that are refused by name."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import FieldError, InvalidJob
from chalicelib.domain.submission.model import Submission, parse_submission
from chalicelib.domain.submission.unsupported_fields import UNSUPPORTED_FIELDS
from tests.support.builders import document

BY_DESIGN = [
    "hostNetwork",
    "hostIpc",
    "hostPid",
    "gpuMemory",
    "mpi",
    "jupyter",
    "ports",
    "serviceType",
    "elastic",
    "createHomeDir",
    "gitSync",
    "volumes",
    "allowPrivilegeEscalation",
]


class TestRefused:
    """The list of what a Kubernetes Job cannot honour."""

    @pytest.mark.parametrize("field", UNSUPPORTED_FIELDS)
    def test_field_is_refused_by_name_with_the_reason(self, field: str) -> None:
        """A field that cannot be honoured is never dropped in silence, whatever its value."""
        with pytest.raises(InvalidJob) as refused:
            parse_submission(document(**{field: None}))

        assert (FieldError(f"/{field}", f"is not supported: {UNSUPPORTED_FIELDS[field]}"),) == refused.value.errors

    @pytest.mark.parametrize("field", BY_DESIGN)
    def test_dangerous_or_impossible_fields_are_known(self, field: str) -> None:
        """The fields of Run:ai that would break out of the Job, or that nothing here can do, have a reason."""
        assert field in UNSUPPORTED_FIELDS

    def test_no_field_is_both_taken_and_refused(self) -> None:
        """The two lists are apart."""
        taken = {field.alias for field in Submission.model_fields.values()}

        assert not taken & UNSUPPORTED_FIELDS.keys()

    @pytest.mark.parametrize(("field", "reason"), UNSUPPORTED_FIELDS.items())
    def test_reason_ends_a_sentence(self, field: str, reason: str) -> None:
        """Read after '<field> is not supported: ', without a full stop or a capital, unless a name begins it."""
        begins = reason.partition(" ")[0]

        assert not reason.endswith("."), field
        assert begins[0].islower() or begins in {"GPUs", "Run:ai's"}, field
