"""The Secrets that a Project's Jobs may name, and those that a submission names beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.errors import FieldError
from chalicelib.domain.labels import SECRETS_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from chalicelib.domain.kubernetes.jobs import Namespace
    from chalicelib.domain.submission.model import Submission


def listed_secrets(namespace: Namespace | None) -> frozenset[str]:
    """The names in the annotation of *namespace*; none where the annotation, or the namespace, is missing."""
    listed = namespace.metadata.annotations.get(SECRETS_ANNOTATION, "") if namespace else ""
    return frozenset(name.strip() for name in listed.split(",")) - {""}


def named_secrets(submission: Submission) -> dict[str, str]:
    """The Secret that each variable of *submission* names, by the variable."""
    variables = submission.environment.items()
    return {name: value.secret.name for name, value in variables if not isinstance(value, str)}


def unlisted_secrets(submission: Submission, listed: AbstractSet[str]) -> tuple[FieldError, ...]:
    """Each variable of *submission* that names a Secret which is not *listed*."""
    return tuple(
        FieldError(
            f"/environment/{variable}/secret/name",
            f"the Project does not list the Secret {secret}; a platform engineer can add it to the namespace's "
            f"annotation {SECRETS_ANNOTATION}, with --secrets of infra.kubernetes.project",
        )
        for variable, secret in named_secrets(submission).items()
        if secret not in listed
    )
