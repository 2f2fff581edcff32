"""The configuration of a stage, as the functions read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.configuration import load, pem, token_issuers
from chalicelib.domain.caller import Caller, caller_from_claims
from chalicelib.settings import InvalidSettingError
from tests.support.builders import deployment
from tests.support.configuration import AUTHORITY, configuration_file

if TYPE_CHECKING:
    from pathlib import Path


class TestLoad:
    """The file is read once, when it is first needed."""

    def test_is_read_once(self) -> None:
        """A process keeps what it has read."""
        path = configuration_file(clusterAuthorities=[AUTHORITY])

        assert load(path) is load(path)
        assert load(path).cluster_authorities == (AUTHORITY,)

    def test_missing_file(self, tmp_path: Path) -> None:
        """A zip that was packaged without a configuration says what to do."""
        with pytest.raises(InvalidSettingError, match="package the stage with its configuration"):
            load(str(tmp_path / "none.json"))

    @pytest.mark.parametrize(
        "changes",
        [
            {"clusterAuthorities": []},
            {"clusterAuthorities": "CANARY"},
            {"clusterAuthorities": [5]},
            {"clusterAuthorities": [""]},
            {"clusterAuthorities": None},
            {"clusterAuthority": ["CANARY"]},
        ],
        ids=json.dumps,
    )
    def test_invalid_file(self, changes: dict[str, Any]) -> None:
        """An invalid or unknown field stops every request that needs the file; the error has no value."""
        with pytest.raises(InvalidSettingError, match=r"^configuration.json is invalid: ") as error:
            load(configuration_file(**changes))

        assert "CANARY" not in str(error.value)

    @pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"clusterAuthorities": ["\ud800"]}'], ids=ascii)
    def test_is_a_json_object(self, tmp_path: Path, text: str) -> None:
        """Anything else is an error of the settings, and not an internal one."""
        path = tmp_path / "configuration.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))

        with pytest.raises(InvalidSettingError):
            load(str(path))


def issuers(*prefixes: str) -> list[dict[str, Any]]:
    """Return issuers with these prefixes."""
    return [
        {"issuer": f"https://{number}.example.com", "audiences": ["a"], "prefix": prefix}
        for number, prefix in enumerate(prefixes)
    ]


POOL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"


class TestTokenIssuers:
    """The issuers of the configuration, and the stack's own user pool."""

    @pytest.mark.parametrize(
        ("fields", "pool", "prefixes"),
        [
            pytest.param({}, POOL, [""], id="the user pool alone"),
            pytest.param({"userPoolPrefix": "app:"}, POOL, ["app:"], id="the user pool with a prefix"),
            pytest.param({"tokenIssuers": issuers("")}, "", [""], id="one issuer"),
            pytest.param({"tokenIssuers": issuers("a:", "b:")}, "", ["a:", "b:"], id="two issuers"),
            pytest.param(
                {"tokenIssuers": issuers("a:", "b:"), "userPoolPrefix": "app:"}, POOL, ["a:", "b:", "app:"], id="all"
            ),
        ],
    )
    def test_trusted(self, fields: dict[str, Any], pool: str, prefixes: list[str]) -> None:
        """All of them are trusted, and the packaged template has a user pool exactly if one is expected."""
        file = configuration_file(**fields)

        found = token_issuers(deployment(configuration_file=file, user_pool_issuer=pool))

        assert [each.prefix for each in found] == prefixes
        assert load(file).has_user_pool == bool(pool)

    def test_people_of_the_user_pool(self) -> None:
        """People have the groups of the user pool: the scope of their client is an audience, and not a group."""
        (pool,) = token_issuers(
            deployment(configuration_file=configuration_file(), user_pool_issuer=POOL, user_pool_client_id="c1")
        )
        client = pool.sign_in
        assert client is not None
        claims = {"sub": "a1", "scope": " ".join(client.scopes), "cognito:groups": ["team-a"]}

        assert caller_from_claims(claims, pool) == Caller("a1", ("team-a",))
        assert {scope.partition("/")[0] for scope in client.scopes} & set(pool.audiences) == {"researcher-people"}

    @pytest.mark.parametrize(
        ("fields", "pool", "message"),
        [
            pytest.param({}, "", "no token issuer is configured", id="none"),
            pytest.param({"tokenIssuers": issuers("a:")}, POOL, "a prefix each", id="an unexpected user pool"),
            pytest.param({"tokenIssuers": issuers("", "b:")}, "", "a prefix each", id="one without a prefix"),
            pytest.param({"tokenIssuers": issuers("a:", "a:b:")}, "", "begins the prefix", id="mixed prefixes"),
            pytest.param(
                {"tokenIssuers": issuers("app:a"), "userPoolPrefix": "app:"}, POOL, "begins", id="of the pool"
            ),
            pytest.param({"tokenIssuers": issuers("a:"), "userPoolPrefix": "x y"}, POOL, "prefix must", id="no prefix"),
        ],
    )
    def test_nothing_is_trusted(self, fields: dict[str, Any], pool: str, message: str) -> None:
        """If names could be mixed, or no issuer is trusted, every request with a token fails before that is read."""
        with pytest.raises(InvalidSettingError, match=message):
            token_issuers(deployment(configuration_file=configuration_file(**fields), user_pool_issuer=pool))


class TestPem:
    """Certificates in both forms."""

    def test_forms_may_be_mixed(self) -> None:
        """Two certificates are separate even if the first has no line break at its end."""
        encoded = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tIHg="

        assert pem((AUTHORITY.strip(), encoded)) == f"{AUTHORITY.strip()}\n-----BEGIN CERTIFICATE----- x"

    @pytest.mark.parametrize("text", ["x", "not base64", "bm8gUEVN", "/w=="])
    def test_neither(self, text: str) -> None:
        """What is neither PEM nor its base64 is an error."""
        with pytest.raises(ValueError, match=r".+"):
            pem((AUTHORITY, text))
