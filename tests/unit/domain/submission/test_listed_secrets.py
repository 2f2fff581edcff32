"""The Secrets that a Project's Jobs may name."""

from __future__ import annotations

import pytest

from chalicelib.domain.labels import SECRETS_ANNOTATION
from chalicelib.domain.submission.listed_secrets import listed_secrets, named_secrets, unlisted_secrets
from tests.support.builders import TEAM_A, project_namespace, submission

ASKED = submission(environment={"A": "hub", "B": {"secret": {"name": "hub", "key": "k"}}})


class TestListedSecrets:
    """What the namespace's annotation says."""

    @pytest.mark.parametrize(
        ("text", "expected"), [("", set()), ("hub", {"hub"}), (" hub , wandb,", {"hub", "wandb"}), ("a b", {"a b"})]
    )
    def test_names_between_commas(self, text: str, expected: set[str]) -> None:
        """Spaces around them are nobody's name."""
        assert listed_secrets(project_namespace(TEAM_A, **{SECRETS_ANNOTATION: text})) == expected

    def test_nothing_is_listed_by_default(self) -> None:
        """Without the annotation, as older manifests are, and without the namespace."""
        assert listed_secrets(project_namespace()) == listed_secrets(None) == frozenset()


class TestUnlistedSecrets:
    """The variables that name others."""

    def test_are_those_with_references(self) -> None:
        """A value is no name."""
        assert named_secrets(ASKED) == {"B": "hub"}
        assert unlisted_secrets(ASKED, {"hub"}) == ()

    def test_are_told_by_place_and_name(self) -> None:
        """With what a platform engineer does."""
        (told,) = unlisted_secrets(ASKED, {"wandb"})

        assert told.pointer == "/environment/B/secret/name"
        assert "the Secret hub;" in told.message
        assert "researcher.dev/secrets, with --secrets of infra.kubernetes.project" in told.message
