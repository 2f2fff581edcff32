"""The settings of one deployment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields

from chalicelib.settings import MissingSettingError, Settings, cors_origin, endpoint_name, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [field.name.upper() for field in fields(Settings)]
NUMBERS = {field.name.upper() for field in fields(Settings) if field.type in {int, float}}
REQUIRED = [field.name.upper() for field in fields(Settings) if field.required]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment with what is required, and nothing else of ours."""
    for name in [*NAMES, "ENDPOINT", "CORS_ORIGIN"]:
        monkeypatch.delenv(name, raising=False)
    for name in REQUIRED:
        monkeypatch.setenv(name, f"the {name}")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


class TestSettings:
    """Every field is the environment variable of its name in capitals."""

    def test_required_settings(self) -> None:
        """One cluster, one role, one issuer: without these nothing works."""
        assert REQUIRED == [
            "CLUSTER_NAME",
            "CLUSTER_ENDPOINT",
            "CLUSTER_CA",
            "CLUSTER_ROLE_ARN",
            "CLUSTER_EXTERNAL_ID",
            "TOKEN_ISSUER",
            "TOKEN_AUDIENCE",
            "UPLOADS_BUCKET",
            "AWS_REGION",
        ]

    def test_required_are_read_and_the_rest_has_defaults(self) -> None:
        """The defaults are the safe ones: a token is required."""
        found = settings()

        assert [f"the {name}" for name in REQUIRED] == [getattr(found, name.lower()) for name in REQUIRED]
        assert (
            found.token_audience_claim,
            found.token_groups_claim,
            found.token_scope_prefix,
            found.token_subject_claim,
            found.token_url,
            found.authentication,
            found.deadline_seconds,
            found.aws_lambda_function_name,
            found.preflight,
        ) == ("aud", "groups", "researcher/", "sub", "", "required", 20.0, "local", "on")

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in NUMBERS])
    def test_each_is_taken_as_it_stands(self, environment: pytest.MonkeyPatch, name: str) -> None:
        """Texts are not trimmed or changed."""
        environment.setenv(name, " x=Y ")

        assert getattr(settings(), name.lower()) == " x=Y "

    def test_deadline_is_a_number(self, environment: pytest.MonkeyPatch) -> None:
        """Seconds, in parts too."""
        environment.setenv("DEADLINE_SECONDS", "2.5")

        assert settings().deadline_seconds == 2.5

    def test_counts_are_whole_numbers(self, environment: pytest.MonkeyPatch) -> None:
        """A brake of half a Job is a slip."""
        environment.setenv("CLEANUP_MAX_DELETIONS", "20")
        first = settings().cleanup_max_deletions
        settings.cache_clear()
        environment.setenv("CLEANUP_MAX_DELETIONS", "0.5")

        assert first == 20
        with pytest.raises(ValueError, match="invalid literal"):
            settings()

    @pytest.mark.parametrize("name", REQUIRED)
    @pytest.mark.parametrize("empty", [True, False])
    def test_missing_setting_is_named(self, environment: pytest.MonkeyPatch, name: str, *, empty: bool) -> None:
        """Empty is missing: CloudFormation passes empty texts. Only the name is told."""
        if empty:
            environment.setenv(name, "")
        else:
            environment.delenv(name)

        with pytest.raises(MissingSettingError) as missing:
            settings()

        assert str(missing.value) == name

    def test_empty_optional_setting_is_its_default(self, environment: pytest.MonkeyPatch) -> None:
        """An empty AUTHENTICATION never switches it off, and an empty CLEANUP_DRY_RUN deletes nothing."""
        for name in set(NAMES) - set(REQUIRED):
            environment.setenv(name, "")

        found = settings()
        assert (found.authentication, found.deadline_seconds) == ("required", 20.0)
        assert (found.cleanup_dry_run, found.cleanup_max_deletions) == ("true", 1000)

    def test_read_once(self, environment: pytest.MonkeyPatch) -> None:
        """A process does not change its mind."""
        first = settings()
        environment.setenv("CLUSTER_NAME", "other")

        assert settings() is first

    def test_mistake_is_not_remembered(self, environment: pytest.MonkeyPatch) -> None:
        """A process that starts without a setting can be given it."""
        environment.delenv("CLUSTER_NAME")
        with pytest.raises(MissingSettingError):
            settings()
        environment.setenv("CLUSTER_NAME", "late")

        assert settings().cluster_name == "late"


class TestBesideThem:
    """What is read before, or without, the settings."""

    def test_endpoint_name(self, environment: pytest.MonkeyPatch) -> None:
        """Empty where all functions are served together."""
        before = endpoint_name()
        environment.setenv("ENDPOINT", "get_job")

        assert (before, endpoint_name()) == ("", "get_job")

    def test_cors_origin(self, environment: pytest.MonkeyPatch) -> None:
        """Empty when no web page may call from elsewhere."""
        before = cors_origin()
        environment.setenv("CORS_ORIGIN", "https://lab.example")

        assert (before, cors_origin()) == ("", "https://lab.example")

    def test_they_need_no_settings(self, environment: pytest.MonkeyPatch) -> None:
        """The application starts, and says what is missing, where nothing is set."""
        for name in REQUIRED:
            environment.delenv(name)

        assert (endpoint_name(), cors_origin()) == ("", "")
        assert not set(REQUIRED) & os.environ.keys()
