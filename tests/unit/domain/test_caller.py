"""Tests of the caller, which is derived from verified claims only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.caller import MAX_GROUPS, Caller, caller_from_claims, user_label
from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.labels import is_label_value
from tests.support.builders import token_issuer

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_claims(claims: Mapping[str, object], **fields: Any) -> Caller:  # noqa: ANN401 - fields of an issuer
    """Return the caller of *claims* of an issuer with *fields*."""
    return caller_from_claims(claims, token_issuer("https://issuer.example.com", **fields))


def groups_of(claim: object) -> tuple[str, ...]:
    """Return the groups for that value of the claim `groups`."""
    return from_claims({"sub": "alice", "groups": claim}).groups


class TestSubject:
    """Tests of the subject."""

    @pytest.mark.parametrize(
        "subject",
        [
            "alice",
            "0",
            "a" * 128,
            "auth0|5f7c8ec7",
            "alice@example.com",
            "a:b",
            "a/b",
            "a+b=c~d_e-f.g",
            "o'brien@example.org",
            "user_gmail.com#EXT#@example.onmicrosoft.com",
            "repo:acme/train:environment:a%3Ab",
        ],
    )
    def test_valid_subject(self, subject: str) -> None:
        """Subjects can be numbers, email addresses and names with punctuation."""
        assert subject == from_claims({"sub": subject}).subject

    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param(None, id="null"),
            pytest.param("", id="empty"),
            pytest.param(7, id="number"),
            pytest.param(True, id="boolean"),
            pytest.param(["alice"], id="list"),
            pytest.param(" alice", id="leading space"),
            pytest.param("al ice", id="inner space"),
            pytest.param("alice\n", id="trailing newline"),
            pytest.param("alice\r\nImpersonate-Group: system:masters", id="header injection"),
            pytest.param("alice\x00", id="NUL"),
            pytest.param("\u202ealice", id="right to left"),
            pytest.param("alïce", id="not ASCII"),
            pytest.param("\ud800", id="lone surrogate"),
            pytest.param("\u0663", id="unicode digit"),
            pytest.param("-alice", id="leading punctuation"),
            pytest.param("alice,bob", id="comma"),
            pytest.param("a" * 129, id="too long"),
        ],
    )
    def test_invalid_subject_is_rejected(self, subject: object) -> None:
        """The subject is sent in a header and appears in audit logs, so it must match a strict pattern."""
        with pytest.raises(Unauthenticated):
            from_claims({"sub": subject})

    @pytest.mark.parametrize("subject", ["janitor", "anonymous", "s3-uploads", "s3-", "api", "preflight"])
    def test_reserved_name_is_rejected(self, subject: str) -> None:
        """A caller cannot have the name of one of the API's own identities."""
        with pytest.raises(Unauthenticated) as error:
            from_claims({"sub": subject})

        assert error.value.__notes__ == ["the token has a claim sub with a name that is reserved for this API"]

    @pytest.mark.parametrize("subject", ["janitors", "apis", "my-api", "s3", "preflights"])
    def test_similar_name_is_accepted(self, subject: str) -> None:
        """A name is reserved only as a whole."""
        assert subject == from_claims({"sub": subject}).subject

    def test_missing_subject_is_rejected(self) -> None:
        """The log names the claim; the response contains neither the claim nor a value."""
        with pytest.raises(Unauthenticated) as error:
            from_claims({"groups": ["CANARY"]})

        assert error.value.__notes__ == ["the token has a claim sub that is missing or invalid"]
        assert "sub" not in error.value.detail

    def test_claim_names_are_configurable(self) -> None:
        """Only the two configured claims are used."""
        claims = {"client_id": "ci", "scope": "api/team-a other", "sub": "other", "groups": ["admins"]}

        caller = from_claims(claims, subject_claim="client_id", groups_claims=("scope",), scope_prefix="api/")

        assert Caller("ci", ("team-a",)) == caller


class TestGroups:
    """Tests of the groups."""

    @pytest.mark.parametrize(
        ("claim", "expected"),
        [
            pytest.param(None, (), id="none"),
            pytest.param([], (), id="empty list"),
            pytest.param("", (), id="empty string"),
            pytest.param(["b", "a"], ("a", "b"), id="sorted"),
            pytest.param(["a", "a"], ("a",), id="duplicate"),
            pytest.param(["/team/a"], ("/team/a",), id="path, as in Keycloak"),
            pytest.param(["Team A"], ("Team A",), id="inner space"),
            pytest.param(["a" * 128], ("a" * 128,), id="longest"),
            pytest.param("researcher/team-a researcher/team-b", ("team-a", "team-b"), id="scopes"),
            pytest.param("openid email team-a", (), id="other scopes"),
            pytest.param("myresearcher/team-a", (), id="prefix inside a scope"),
            pytest.param("researcher/researcher/a", ("researcher/a",), id="prefix is removed once"),
        ],
    )
    def test_groups(self, claim: object, expected: tuple[str, ...]) -> None:
        """All names in an array are groups; of space-separated scopes only those with the prefix."""
        assert expected == groups_of(claim)

    @pytest.mark.parametrize(
        "claim",
        [
            pytest.param({"team-a": True}, id="object"),
            pytest.param(7, id="number"),
            pytest.param(True, id="boolean"),
            pytest.param([7], id="number in the array"),
            pytest.param([None], id="null in the array"),
            pytest.param([["team-a"]], id="nested array"),
            pytest.param(["good", 7], id="one of two"),
        ],
    )
    def test_invalid_claim_is_rejected(self, claim: object) -> None:
        """A claim of another type rejects the token: its issuer is not configured as it works."""
        with pytest.raises(Unauthenticated):
            groups_of(claim)

    @pytest.mark.parametrize(
        "claim",
        [
            pytest.param([""], id="empty name"),
            pytest.param(["team-a\n"], id="trailing newline"),
            pytest.param(["team-a\r\nImpersonate-User: admin"], id="header injection"),
            pytest.param([" team-a"], id="leading space"),
            pytest.param(["team-a "], id="trailing space, which HTTP strips"),
            pytest.param(["janitor "], id="trailing space after a reserved name"),
            pytest.param(["téam"], id="not ASCII"),
            pytest.param(["\ud800"], id="lone surrogate"),
            pytest.param(["a,b"], id="comma"),
            pytest.param(["a" * 129], id="too long"),
            pytest.param("researcher/", id="scope without a name"),
            pytest.param("researcher/a\tb", id="scope with a tab"),
        ],
    )
    def test_invalid_group_is_left_out(self, claim: list[str] | str) -> None:
        """A group that Kubernetes cannot have is left out, and named in the log; the others stay."""
        names = [*claim, "good"] if isinstance(claim, list) else f"{claim} researcher/good"

        caller = from_claims({"sub": "alice", "groups": names})

        assert caller.groups == ("good",)
        assert len(caller.ignored_groups) == 1
        assert all(" " <= character <= "~" for character in caller.ignored_groups[0])

    def test_log_of_groups_is_bounded(self) -> None:
        """A token cannot fill the log."""
        ignored = from_claims({"sub": "alice", "groups": [f"{number}\n" * 99 for number in range(200)]}).ignored_groups

        assert (len(ignored), {len(name) for name in ignored}) == (5, {80})

    def test_number_of_groups_is_limited(self) -> None:
        """Up to 200 groups are accepted."""
        names = [f"g{number}" for number in range(MAX_GROUPS + 1)]

        groups = groups_of(names[:MAX_GROUPS])

        assert len(groups) == 200
        with pytest.raises(Unauthenticated):
            groups_of(names)

    def test_limit_counts_duplicates(self) -> None:
        """The limit applies before duplicates are removed, so that it also limits the work."""
        with pytest.raises(Unauthenticated):
            groups_of(["a"] * (MAX_GROUPS + 1))

    @pytest.mark.parametrize("group", ["janitor", "anonymous", "s3-uploads", "s3-"])
    def test_reserved_group_is_ignored(self, group: str) -> None:
        """The groups of the API's own identities cannot be granted by a token."""
        assert groups_of([group, "team-a"]) == ("team-a",)
        assert groups_of(f"researcher/{group}") == ()

    @pytest.mark.parametrize("group", ["janitors", "my-janitor", "anonymously", "s3", "xs3-a"])
    def test_similar_group_is_kept(self, group: str) -> None:
        """A group is reserved only as a whole."""
        assert (group,) == groups_of([group])

    def test_response_does_not_contain_the_group(self) -> None:
        """Values of claims never appear in responses."""
        with pytest.raises(Unauthenticated) as error:
            groups_of([["CANARY"]])

        assert "CANARY" not in error.value.detail

    @pytest.mark.parametrize(
        ("claim", "reason"),
        [
            (["a"] * 201, "the token has more than 200 groups"),
            (7, "the token has a claim groups that is neither an array of strings nor a string"),
        ],
    )
    def test_reason_is_logged(self, claim: object, reason: str) -> None:
        """The log contains the reason, with the configured name of the claim."""
        with pytest.raises(Unauthenticated) as error:
            groups_of(claim)

        assert error.value.__notes__ == [reason]

    def test_groups_are_sorted(self) -> None:
        """The order does not depend on the token."""
        names = [f"team-{letter}" for letter in "hgfedcba"]

        assert groups_of(names) == tuple(reversed(names))


class TestCaller:
    """Tests of the identities that are impersonated."""

    def test_groups_are_prefixed(self) -> None:
        """No claim can contain a group of Kubernetes."""
        caller = from_claims({"sub": "alice", "groups": ["system:masters", "researcher:x"]})

        assert frozenset({"researcher:system:masters", "researcher:researcher:x"}) == caller.kubernetes_groups

    def test_user_is_prefixed(self) -> None:
        """No claim can contain a user of Kubernetes."""
        assert Caller("system:admin", ()).user == "researcher:system:admin"

    def test_janitor_has_its_own_group(self) -> None:
        """The cleanup has only the permissions of `researcher:janitor`."""
        assert frozenset({"researcher:janitor"}) == Caller.janitor().kubernetes_groups

    def test_anonymous_has_its_own_group(self) -> None:
        """A caller without a token has only the permissions of `researcher:anonymous`."""
        assert frozenset({"researcher:anonymous"}) == Caller.anonymous().kubernetes_groups

    def test_each_bucket_has_its_own_group(self) -> None:
        """A RoleBinding names the group of the bucket; the uploader is only recorded."""
        caller = Caller.for_uploads("uploads-a", "AWS:AIDAEXAMPLE")

        assert caller.kubernetes_groups == frozenset({"researcher:s3-uploads-a"})
        assert (caller.user, caller.uploader) == ("researcher:s3-uploads-a", "AWS:AIDAEXAMPLE")

    def test_is_immutable(self) -> None:
        """A caller can be the key of a cache."""
        caller = Caller("alice", ("team-a",))

        assert {caller: 1}[Caller("alice", ("team-a",))] == 1
        with pytest.raises(AttributeError):
            caller.subject = "bob"  # type: ignore[misc] # the test

    def test_label(self) -> None:
        """The label of a Job contains its submitter."""
        assert Caller("alice", ()).label == "alice"

    @pytest.mark.parametrize(
        ("caller", "user"),
        [
            (Caller.janitor(), "researcher:janitor"),
            (Caller.anonymous(), "researcher:anonymous"),
            (Caller.for_uploads("uploads"), "researcher:s3-uploads"),
        ],
    )
    def test_own_identities(self, caller: Caller, user: str) -> None:
        """Each of the API's own identities has its own user name, and no uploader by default."""
        assert (caller.user, caller.uploader) == (user, None)


class TestUserLabel:
    """Tests of user_label."""

    def test_valid_label_value_is_unchanged(self) -> None:
        """Users of kubectl can select Jobs by the plain subject."""
        assert user_label("alice.b-1") == "alice.b-1"

    @pytest.mark.parametrize("subject", ["auth0|1", "alice@example.com", "a" * 64, "alice-", "sha256-abc"])
    def test_other_subjects_are_hashed(self, subject: str) -> None:
        """A subject that is not a valid label value, or looks like a hash, is hashed."""
        label = user_label(subject)

        assert label.startswith("sha256-")
        assert label != subject
        assert is_label_value(label)

    def test_hash_is_stable(self) -> None:
        """A new release finds the Jobs of earlier releases."""
        assert user_label("auth0|1") == "sha256-b03e5d4509cd37476db38fb76f9b5b3ca8de1e69"

    def test_hash_is_hashed_again(self) -> None:
        """A subject cannot get the label of another subject by using that label as its name."""
        assert user_label(user_label("auth0|1")) != user_label("auth0|1")

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=70))
    def test_any_subject_has_a_label(self, subject: str) -> None:
        """No subject can add a term to a label selector."""
        assert is_label_value(user_label(subject))
