"""The Secrets that the Jobs of a Project may reference, and the references of a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.errors import FieldError
from chalicelib.domain.labels import SECRETS_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from chalicelib.domain.kubernetes.jobs import Namespace
    from chalicelib.domain.submission.model import Submission


def listed_secrets(namespace: Namespace | None) -> frozenset[str]:
    """Return the names in the annotation of *namespace*; empty if the annotation or the namespace is missing."""
    listed = namespace.metadata.annotations.get(SECRETS_ANNOTATION, "") if namespace else ""
    return frozenset(name.strip() for name in listed.split(",")) - {""}


def named_secrets(submission: Submission) -> dict[str, str]:
    """Return the name of the Secret that each variable of *submission* references, by variable."""
    variables = submission.environment.items()
    return {name: value.secret.name for name, value in variables if not isinstance(value, str)}


def unlisted_secrets(submission: Submission, listed: AbstractSet[str]) -> tuple[FieldError, ...]:
    """Return an error for each variable of *submission* that references a Secret which is not *listed*."""
    return tuple(
        FieldError(
            f"/environment/{variable}/secret/name",
            f"the Project does not list the Secret {secret}; a platform engineer can add it to the namespace's "
            f"annotation {SECRETS_ANNOTATION}, with --secrets of infra.kubernetes.project",
        )
        for variable, secret in named_secrets(submission).items()
        if secret not in listed
    )
