"""Tests of unsupported fields."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import FieldError, InvalidJob
from chalicelib.domain.submission.model import Submission, parse_submission
from chalicelib.domain.submission.unsupported_fields import UNSUPPORTED_FIELDS
from tests.support.builders import document

UNSAFE_OR_IMPOSSIBLE = [
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


class TestUnsupportedFields:
    """Tests of the list."""

    @pytest.mark.parametrize("field", UNSUPPORTED_FIELDS)
    def test_field_is_rejected_with_the_reason(self, field: str) -> None:
        """An unsupported field is never silently ignored, whatever its value."""
        with pytest.raises(InvalidJob) as error:
            parse_submission(document(**{field: None}))

        assert (FieldError(f"/{field}", f"is not supported: {UNSUPPORTED_FIELDS[field]}"),) == error.value.errors

    @pytest.mark.parametrize("field", UNSAFE_OR_IMPOSSIBLE)
    def test_unsafe_or_impossible_fields_are_listed(self, field: str) -> None:
        """Fields that would break the isolation of a Job, or cannot be implemented, are listed."""
        assert field in UNSUPPORTED_FIELDS

    def test_no_supported_field_is_listed(self) -> None:
        """The list does not contain fields of the model."""
        supported = {field.alias for field in Submission.model_fields.values()}

        assert not supported & UNSUPPORTED_FIELDS.keys()

    @pytest.mark.parametrize(("field", "reason"), UNSUPPORTED_FIELDS.items())
    def test_reason_completes_the_message(self, field: str, reason: str) -> None:
        """A reason has no full stop, and begins with a lower-case letter or a name."""
        first_word = reason.partition(" ")[0]

        assert not reason.endswith("."), field
        assert first_word[0].islower() or first_word in {"GPUs", "Jobs"}, field
