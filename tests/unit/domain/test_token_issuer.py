"""Tests of the configuration of token issuers, and of the names that their tokens give."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.domain.access_token import ALGORITHMS
from chalicelib.domain.caller import Caller, caller_from_claims
from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.token_issuer import TokenIssuer, check_issuers

REQUIRED = {"issuer": "https://issuer.example.com", "audiences": ["researcher"]}


def issuer(**fields: object) -> TokenIssuer:
    """Return an issuer as the configuration has it."""
    return msgspec.convert({**REQUIRED, **fields}, TokenIssuer)


def caller(claims: dict[str, Any], **fields: object) -> Caller:
    """Return the caller for *claims* of an issuer with *fields*."""
    return caller_from_claims({"sub": "alice", **claims}, issuer(**fields))


class TestTokenIssuer:
    """The fields of an issuer."""

    def test_defaults(self) -> None:
        """Only the issuer and its audiences are required."""
        found = issuer()

        assert (found.audience_claim, found.subject_claim, found.groups_claims) == ("aud", "sub", ("groups",))
        assert (found.prefix, found.template(), found.algorithms) == ("", None, ALGORITHMS)

    @pytest.mark.parametrize(
        "fields",
        [
            {"issuer": ""}, {"issuer": "issuer.example.com"}, {"issuer": "http://issuer.example.com"},
            {"issuer": "ftp://issuer.example.com"}, {"issuer": "https://"}, {"issuer": "https://a b"},
            {"issuer": "https://a.example.com?x=1"}, {"issuer": "https://a.example.com#x"},
            {"issuer": "https://user@a.example.com"}, {"issuer": "https://a.example.com\n"},
            {"issuer": "http://127.0.0.1.example.com"}, {"issuer": "http://localhost@evil.example.com"},
            {"issuer": "HTTPS://a.example.com"}, {"issuer": None}, {"issuer": ["https://a.example.com"]},
            {"audiences": []}, {"audiences": [""]}, {"audiences": "researcher"}, {"audiences": None},
            {"audienceClaim": ""}, {"subjectClaim": ""}, {"groupsClaims": [""]}, {"groupsClaims": "groups"},
            {"prefix": "a b:"}, {"prefix": ":"}, {"prefix": "-a"}, {"prefix": "a" * 33}, {"prefix": "a\n"},
            {"prefix": "é:"}, {"prefix": "s3-"}, {"prefix": "s3-uploads"}, {"prefix": None},
            {"groupTemplate": "{a}{b}"}, {"groupTemplate": "{a}", "groupsClaims": ["roles"]},
            {"algorithms": []}, {"algorithms": ["HS256"]}, {"algorithms": ["none"]}, {"algorithms": ["RS256", "rs256"]},
            {"signIn": {}}, {"signIn": "CANARY"}, {"signIn": {"clientId": ""}},
            {"signIn": {"clientId": "c", "scopes": []}}, {"signIn": ["c"]},
            {"signIn": {"clientId": "c", "scopes": ["a b"]}}, {"signIn": {"clientId": "c", "scopes": ["a\n"]}},
            {"signIn": {"clientId": "c", "scopes": ["é"]}}, {"signIn": {"clientId": "c", "clientSecret": "CANARY"}},
            {"signIn": {"clientId": "c", "redirectUris": ["http://evil.example.com/"]}},
            {"signIn": {"clientId": "c", "redirectUris": ["javascript:CANARY"]}},
            {"signIn": {"clientId": "c", "deviceFlow": "yes"}},
            {"authorities": "CANARY"}, {"authorities": [""]}, {"keySet": {}}, {"keySet": {"keys": []}},
            {"keySet": {"keys": [{"kid": "a", "kty": "RSA", "d": "CANARY"}]}}, {"keySet": {"keys": ["CANARY"]}},
            {"keySet": {"keys": [{"kid": "a", "kty": "oct", "k": "CANARY"}]}}, {"keySet": [{"kid": "a"}]},
            {"keySet": {"keys": [{"kid": "a"}]}, "authorities": ["CANARY"]}, {"keySet": "https://example.com/jwks"},
            {"jwks": "CANARY"}, {"clientSecret": "CANARY"},
        ],
        ids=str,
    )  # fmt: skip
    def test_invalid_field(self, fields: dict[str, Any]) -> None:
        """An invalid or unknown field is refused; the message has no value."""
        with pytest.raises(msgspec.ValidationError) as error:
            issuer(**fields)

        assert "CANARY" not in str(error.value)

    @pytest.mark.parametrize(
        "url",
        [
            "https://a.example.com", "https://a.example.com/", "https://a.example.com:8443/realms/a%20b",
            "http://127.0.0.1:1", "http://localhost", "http://[::1]:80/x", "https://[2001:db8::1]/x",
        ],
    )  # fmt: skip
    def test_valid_url(self, url: str) -> None:
        """HTTPS, or HTTP of loopback."""
        assert issuer(issuer=url).issuer == url


class TestCheckIssuers:
    """Several issuers together."""

    @pytest.mark.parametrize(
        ("prefixes", "message"),
        [
            (["", "a:"], "a prefix each"),
            (["a:", ""], "a prefix each"),
            (["", ""], "a prefix each"),
            (["a:", "a:"], "begins the prefix"),
            (["a:", "a:b:"], "begins the prefix"),
            (["github", "b:", "github:"], "begins the prefix"),
            (["b:c:", "a:", "b:"], "begins the prefix"),
        ],
    )
    def test_names_could_be_mixed(self, prefixes: list[str], message: str) -> None:
        """A group of one issuer could be that of another."""
        with pytest.raises(ValueError, match=message):
            check_issuers([issuer(issuer=f"https://i{n}.example.com", prefix=each) for n, each in enumerate(prefixes)])

    @pytest.mark.parametrize("prefixes", [[], [""], ["a:"], ["a:", "b:"], ["a:", "ab:", "b"], ["a:b", "a:c", "a."]])
    def test_names_are_distinct(self, prefixes: list[str]) -> None:
        """An issuer that is alone needs no prefix."""
        check_issuers([issuer(issuer=f"https://i{n}.example.com", prefix=each) for n, each in enumerate(prefixes)])

    def test_issuer_twice(self) -> None:
        """One issuer has one entry, with a slash at its end or without: both have the same keys."""
        entries = [issuer(prefix="a:"), issuer(issuer=f"{REQUIRED['issuer']}/", prefix="b:")]

        with pytest.raises(ValueError, match="twice"):
            check_issuers(entries)


class TestPrefix:
    """Groups and subjects of an issuer with a prefix."""

    def test_precedes_groups_and_subject(self) -> None:
        """No name is left without it."""
        found = caller({"groups": ["team-a", "/b"]}, prefix="okta:")

        assert found == Caller("okta:alice", ("okta:/b", "okta:team-a"))
        assert found.kubernetes_groups == {"researcher:okta:/b", "researcher:okta:team-a"}

    @pytest.mark.parametrize(
        ("prefix", "name"),
        [("s3", "-uploads"), ("s", "3-uploads"), ("jan", "itor"), ("anony", "mous"), ("", "janitor"), ("", "s3-x")],
    )
    def test_reserved_names_hold_after_it(self, prefix: str, name: str) -> None:
        """A prefix cannot make a reserved name of an allowed one."""
        assert caller({"groups": [name]}, prefix=prefix).groups == ()
        with pytest.raises(Unauthenticated):
            caller({"sub": name}, prefix=prefix)

    @pytest.mark.parametrize(("prefix", "name"), [("ap", "i"), ("pre", "flight"), ("p", "reflight")])
    def test_reserved_subjects_hold_after_it(self, prefix: str, name: str) -> None:
        """Subjects of the API alone are reserved as well."""
        with pytest.raises(Unauthenticated):
            caller({"sub": name}, prefix=prefix)

    @pytest.mark.parametrize("name", ["janitor", "anonymous", "s3-uploads"])
    def test_reserved_names_may_follow_it(self, name: str) -> None:
        """With its prefix, a name is not reserved."""
        assert caller({"groups": [name], "sub": name}, prefix="a:") == Caller(f"a:{name}", (f"a:{name}",))

    @pytest.mark.parametrize("name", ["", "-a", ":a", " a", "a" * 127, "x\ny"])
    def test_name_must_be_valid_without_it(self, name: str) -> None:
        """A prefix does not make a valid name of an invalid one, and its length counts."""
        assert caller({"groups": [name]}, prefix="a:").groups == ()
        with pytest.raises(Unauthenticated):
            caller({"sub": name}, prefix="a:")

    def test_longest_name(self) -> None:
        """A name and its prefix have up to 128 characters."""
        assert caller({"sub": "a" * 126, "groups": ["a" * 126]}, prefix="a:").groups == ("a:" + "a" * 126,)


class TestGroups:
    """Where the groups are."""

    def test_several_claims(self) -> None:
        """Scopes of Applications and groups of people may be in one token, and either may be missing."""
        fields = {"groupsClaims": ["scope", "cognito:groups"]}

        assert caller({"scope": "openid researcher/a", "cognito:groups": ["b", "a"]}, **fields).groups == ("a", "b")
        assert caller({"cognito:groups": ["b"]}, **fields).groups == ("b",)
        with pytest.raises(Unauthenticated, match=r".*") as error:
            caller({"scope": "researcher/x " * 101, "cognito:groups": ["b"] * 100}, **fields)
        assert error.value.__notes__ == ["the token has more than 200 groups"]

    def test_template(self) -> None:
        """A template replaces the claims with groups: `groups` of the token is not read."""
        fields = {"groupTemplate": "{repository_id}@{environment}", "prefix": "github:"}
        claims = {"repository_id": "74", "environment": "prod", "groups": ["admins"], "scope": "researcher/admins"}

        assert caller(claims, **fields).groups == ("github:74@prod",)
        with pytest.raises(Unauthenticated):
            caller(claims | {"environment": None}, **fields)

    @pytest.mark.parametrize("environment", ["prod eu\n", "é", "x" * 129, "a,b"])
    def test_template_with_an_invalid_group(self, environment: str) -> None:
        """A group of a template that cannot be one is left out, and logged, as any other."""
        found = caller({"environment": environment}, groupTemplate="{environment}")

        assert (found.groups, len(found.ignored_groups)) == ((), 1)
