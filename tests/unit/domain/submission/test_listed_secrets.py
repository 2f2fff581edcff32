"""Tests of the Secrets that the Jobs of a Project may reference."""

from __future__ import annotations

import pytest

from chalicelib.domain.labels import SECRETS_ANNOTATION
from chalicelib.domain.submission.listed_secrets import listed_secrets, named_secrets, unlisted_secrets
from tests.support.builders import TEAM_A, project_namespace, submission

SUBMISSION = submission(environment={"A": "hub", "B": {"secret": {"name": "hub", "key": "k"}}})


class TestListedSecrets:
    """Tests of listed_secrets."""

    @pytest.mark.parametrize(
        ("text", "expected"), [("", set()), ("hub", {"hub"}), (" hub , wandb,", {"hub", "wandb"}), ("a b", {"a b"})]
    )
    def test_comma_separated_names(self, text: str, expected: set[str]) -> None:
        """White space around names is ignored."""
        assert listed_secrets(project_namespace(TEAM_A, **{SECRETS_ANNOTATION: text})) == expected

    def test_nothing_is_listed_by_default(self) -> None:
        """Without the annotation or the namespace, no Secret is listed."""
        assert listed_secrets(project_namespace()) == listed_secrets(None) == frozenset()


class TestUnlistedSecrets:
    """Tests of named_secrets and unlisted_secrets."""

    def test_only_references_count(self) -> None:
        """The value of a variable is not the name of a Secret."""
        assert named_secrets(SUBMISSION) == {"B": "hub"}
        assert unlisted_secrets(SUBMISSION, {"hub"}) == ()

    def test_error(self) -> None:
        """The error contains the pointer, the Secret and how a platform engineer can list it."""
        (error,) = unlisted_secrets(SUBMISSION, {"wandb"})

        assert error.pointer == "/environment/B/secret/name"
        assert "the Secret hub;" in error.message
        assert "researcher.dev/secrets, with --secrets of infra.kubernetes.project" in error.message
