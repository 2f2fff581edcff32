"""The settings of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields

from chalicelib.settings import MissingSettingError, Settings, cors_origin, endpoint_name, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES = [field.name.upper() for field in fields(Settings)]
NUMBERS = {field.name.upper() for field in fields(Settings) if field.type in {int, float}}
REQUIRED = [field.name.upper() for field in fields(Settings) if field.required]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set the required settings and unset all others."""
    for name in [*NAMES, "ENDPOINT", "CORS_ORIGIN"]:
        monkeypatch.delenv(name, raising=False)
    for name in REQUIRED:
        monkeypatch.setenv(name, f"the {name}")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


class TestSettings:
    """Each field is the environment variable of its name in capitals."""

    def test_required_settings_are_read_and_others_have_defaults(self, environment: pytest.MonkeyPatch) -> None:
        """Without other variables the settings have safe defaults, and a process reads them only once."""
        found = settings()

        assert REQUIRED == [
            "CLUSTER_NAME", "CLUSTER_ENDPOINT", "CLUSTER_ROLE_ARN", "CLUSTER_EXTERNAL_ID",
            "UPLOADS_BUCKET", "AWS_REGION",
        ]  # fmt: skip
        assert [f"the {name}" for name in REQUIRED] == [getattr(found, name.lower()) for name in REQUIRED]
        assert (found.user_pool_issuer, found.token_url, found.configuration_file) == ("", "", "")
        assert (found.authentication, found.deadline_seconds, found.preflight) == ("required", 20.0, "on")
        assert found.aws_lambda_function_name == "local"
        environment.setenv("CLUSTER_NAME", "other")
        assert settings() is found

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in NUMBERS])
    def test_strings_are_unchanged(self, environment: pytest.MonkeyPatch, name: str) -> None:
        """Strings are not trimmed or changed."""
        environment.setenv(name, " x=Y ")

        assert getattr(settings(), name.lower()) == " x=Y "

    def test_counts_are_integers(self, environment: pytest.MonkeyPatch) -> None:
        """A count must be an integer, while seconds may have decimals."""
        environment.setenv("DEADLINE_SECONDS", "2.5")
        environment.setenv("CLEANUP_MAX_DELETIONS", "20")
        first = (settings().cleanup_max_deletions, settings().deadline_seconds)
        settings.cache_clear()
        environment.setenv("CLEANUP_MAX_DELETIONS", "0.5")

        assert first == (20, 2.5)
        with pytest.raises(ValueError, match="invalid literal"):
            settings()

    @pytest.mark.parametrize("name", REQUIRED)
    @pytest.mark.parametrize("empty", [True, False])
    def test_missing_setting_is_named(self, environment: pytest.MonkeyPatch, name: str, *, empty: bool) -> None:
        """An empty setting counts as missing: CloudFormation passes empty strings. The error has only its name."""
        if empty:
            environment.setenv(name, "")
        else:
            environment.delenv(name)

        with pytest.raises(MissingSettingError) as missing:
            settings()

        assert str(missing.value) == name
        environment.setenv(name, "late")
        assert getattr(settings(), name.lower()) == "late"

    def test_empty_optional_setting_is_its_default(self, environment: pytest.MonkeyPatch) -> None:
        """An empty AUTHENTICATION keeps authentication on, and an empty CLEANUP_DRY_RUN deletes no Jobs."""
        for name in set(NAMES) - set(REQUIRED):
            environment.setenv(name, "")

        found = settings()
        assert (found.authentication, found.deadline_seconds) == ("required", 20.0)
        assert (found.cleanup_dry_run, found.cleanup_max_deletions) == ("true", 1000)


class TestOtherVariables:
    """Variables that are read without the settings."""

    @pytest.mark.parametrize(("name", "read"), [("ENDPOINT", endpoint_name), ("CORS_ORIGIN", cors_origin)])
    def test_needs_no_settings(self, environment: pytest.MonkeyPatch, name: str, read: Callable[[], str]) -> None:
        """The app starts without any settings, and reports the missing ones later."""
        for required in REQUIRED:
            environment.delenv(required)
        before = read()
        environment.setenv(name, "x")

        assert (before, read()) == ("", "x")
