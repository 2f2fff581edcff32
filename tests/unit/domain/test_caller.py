"""Who asks: from verified claims and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.caller import MAX_GROUPS, Caller, caller_from_claims, user_label
from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.labels import is_label_value

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_claims(claims: Mapping[str, object], scope_prefix: str = "researcher/") -> Caller:
    """The caller that *claims* name, with the usual names of claims."""
    return caller_from_claims(claims, subject_claim="sub", groups_claim="groups", scope_prefix=scope_prefix)


def groups_of(claim: object) -> tuple[str, ...]:
    """The groups in the claim `groups`."""
    return from_claims({"sub": "alice", "groups": claim}).groups


class TestSubject:
    """The claim that names the caller."""

    @pytest.mark.parametrize(
        "subject",
        ["alice", "0", "a" * 128, "auth0|5f7c8ec7", "alice@example.com", "a:b", "a/b", "a+b=c~d_e-f.g"],
    )
    def test_usual_subjects_are_taken(self, subject: str) -> None:
        """Issuers name callers by numbers, addresses, and names with marks."""
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
            pytest.param("-alice", id="leading mark"),
            pytest.param("alice,bob", id="comma"),
            pytest.param("a" * 129, id="too long"),
        ],
    )
    def test_anything_else_is_refused(self, subject: object) -> None:
        """What becomes a header and a line of the audit log is of a strict pattern."""
        with pytest.raises(Unauthenticated):
            from_claims({"sub": subject})

    @pytest.mark.parametrize("subject", ["janitor", "anonymous", "s3-uploads", "s3-", "api", "preflight"])
    def test_our_own_names_are_refused(self, subject: str) -> None:
        """A Job's user and the audit log tell the API's own actions from a caller's."""
        with pytest.raises(Unauthenticated) as refused:
            from_claims({"sub": subject})

        assert refused.value.__notes__ == ["the token has a claim sub with a name that is reserved for this API"]

    @pytest.mark.parametrize("subject", ["janitors", "apis", "my-api", "s3", "preflights"])
    def test_names_that_only_look_reserved_are_taken(self, subject: str) -> None:
        """The whole name counts."""
        assert subject == from_claims({"sub": subject}).subject

    def test_missing_subject_is_refused(self) -> None:
        """Nobody acts without a name; the error names the claim, not what it holds."""
        with pytest.raises(Unauthenticated) as refused:
            from_claims({"groups": ["CANARY"]})

        assert refused.value.__notes__ == ["the token has a claim sub that is missing or invalid"]
        assert "sub" not in refused.value.detail

    def test_claims_are_those_of_the_settings(self) -> None:
        """Nothing but the two configured claims has a say."""
        claims = {"client_id": "ci", "scope": "api/team-a other", "sub": "nobody", "groups": ["admins"]}

        caller = caller_from_claims(claims, subject_claim="client_id", groups_claim="scope", scope_prefix="api/")

        assert Caller("ci", ("team-a",)) == caller


class TestGroups:
    """The claim that says what the caller may do."""

    @pytest.mark.parametrize(
        ("claim", "expected"),
        [
            pytest.param(None, (), id="none"),
            pytest.param([], (), id="empty list"),
            pytest.param("", (), id="empty text"),
            pytest.param(["b", "a"], ("a", "b"), id="sorted"),
            pytest.param(["a", "a"], ("a",), id="twice"),
            pytest.param(["/team/a"], ("/team/a",), id="a path, as Keycloak writes it"),
            pytest.param(["Team A"], ("Team A",), id="inner space"),
            pytest.param(["a" * 128], ("a" * 128,), id="longest"),
            pytest.param("researcher/team-a researcher/team-b", ("team-a", "team-b"), id="scopes"),
            pytest.param("openid email team-a", (), id="scopes of others"),
            pytest.param("myresearcher/team-a", (), id="prefix inside a scope"),
            pytest.param("researcher/researcher/a", ("researcher/a",), id="prefix goes once"),
        ],
    )
    def test_groups(self, claim: object, expected: tuple[str, ...]) -> None:
        """A list of names counts whole; of scopes in one text only ours do."""
        assert expected == groups_of(claim)

    @pytest.mark.parametrize(
        "claim",
        [
            pytest.param({"team-a": True}, id="object"),
            pytest.param(7, id="number"),
            pytest.param(True, id="boolean"),
            pytest.param([7], id="number in the list"),
            pytest.param([None], id="null in the list"),
            pytest.param([["team-a"]], id="list in the list"),
            pytest.param([""], id="empty name"),
            pytest.param(["team-a\n"], id="trailing newline"),
            pytest.param(["team-a\r\nImpersonate-User: admin"], id="header injection"),
            pytest.param([" team-a"], id="leading space"),
            pytest.param(["team-a "], id="trailing space, which HTTP drops: another group's name"),
            pytest.param(["janitor "], id="trailing space behind a reserved name"),
            pytest.param(["téam"], id="not ASCII"),
            pytest.param(["\ud800"], id="lone surrogate"),
            pytest.param(["a,b"], id="comma"),
            pytest.param(["a" * 129], id="too long"),
            pytest.param(["good", "bad\n"], id="one of two"),
            pytest.param("researcher/", id="scope without a name"),
            pytest.param("researcher/a\tb", id="scope with a tab"),
        ],
    )
    def test_anything_else_is_refused(self, claim: object) -> None:
        """A group that cannot stand in a header refuses the token: dropping it would hide the mistake."""
        with pytest.raises(Unauthenticated):
            groups_of(claim)

    def test_as_many_as_issuers_send(self) -> None:
        """Two hundred groups are taken, one more is not."""
        names = [f"g{number}" for number in range(MAX_GROUPS + 1)]

        taken = groups_of(names[:MAX_GROUPS])

        assert len(taken) == 200
        with pytest.raises(Unauthenticated):
            groups_of(names)

    def test_many_times_the_same_is_too_many_too(self) -> None:
        """The bound holds before duplicates go, so that it bounds the work."""
        with pytest.raises(Unauthenticated):
            groups_of(["a"] * (MAX_GROUPS + 1))

    @pytest.mark.parametrize("group", ["janitor", "anonymous", "s3-uploads", "s3-"])
    def test_our_own_groups_are_not_the_issuers_to_give(self, group: str) -> None:
        """Those act without a token: an issuer's group of that name grants nothing."""
        assert groups_of([group, "team-a"]) == ("team-a",)
        assert groups_of(f"researcher/{group}") == ()

    @pytest.mark.parametrize("group", ["janitors", "my-janitor", "anonymously", "s3", "xs3-a"])
    def test_names_that_only_look_reserved_are_kept(self, group: str) -> None:
        """The whole name counts."""
        assert (group,) == groups_of([group])

    def test_error_does_not_repeat_the_group(self) -> None:
        """A claim is the issuer's text and stays out of answers."""
        with pytest.raises(Unauthenticated) as refused:
            groups_of(["CANARY\n"])

        assert "CANARY" not in refused.value.detail

    @pytest.mark.parametrize(
        ("claim", "why"),
        [
            (["a\n"], "the token has a claim groups with an invalid group or more than 200 groups"),
            (7, "the token has a claim groups that is neither an array nor a string"),
        ],
    )
    def test_log_says_why(self, claim: object, why: str) -> None:
        """By the claim's name, which the deployment chose."""
        with pytest.raises(Unauthenticated) as refused:
            groups_of(claim)

        assert refused.value.__notes__ == [why]

    def test_are_in_order(self) -> None:
        """However the issuer sends them."""
        names = [f"team-{letter}" for letter in "hgfedcba"]

        assert groups_of(names) == tuple(reversed(names))


class TestCaller:
    """What the cluster is told."""

    def test_groups_are_prefixed(self) -> None:
        """No claim can name a group of Kubernetes."""
        caller = from_claims({"sub": "alice", "groups": ["system:masters", "researcher:x"]})

        assert frozenset({"researcher:system:masters", "researcher:researcher:x"}) == caller.kubernetes_groups

    def test_user_is_prefixed(self) -> None:
        """No claim can name a user of Kubernetes."""
        assert Caller("system:admin", ()).user == "researcher:system:admin"

    def test_janitor_is_a_group_of_its_own(self) -> None:
        """The cleanup has the rights given to `researcher:janitor`, and no others."""
        assert frozenset({"researcher:janitor"}) == Caller.janitor().kubernetes_groups

    def test_anonymous_is_a_group_of_its_own(self) -> None:
        """Whoever comes without a token has the rights given to `researcher:anonymous`, and no others."""
        assert frozenset({"researcher:anonymous"}) == Caller.anonymous().kubernetes_groups

    def test_uploads_are_a_group_for_each_bucket(self) -> None:
        """A Project's RoleBinding names the bucket; who uploaded there has no say, and is told for the record."""
        found = Caller.for_uploads("uploads-a", "AWS:AIDAEXAMPLE")

        assert found.kubernetes_groups == frozenset({"researcher:s3-uploads-a"})
        assert (found.user, found.uploader) == ("researcher:s3-uploads-a", "AWS:AIDAEXAMPLE")

    def test_it_cannot_be_changed(self) -> None:
        """Who asks is decided once; the caller can key what is remembered of them."""
        found = Caller("alice", ("team-a",))

        assert {found: 1}[Caller("alice", ("team-a",))] == 1
        with pytest.raises(AttributeError):
            found.subject = "bob"  # type: ignore[misc] # that is the point

    def test_label_is_the_subjects(self) -> None:
        """A Job's label says who submitted it."""
        assert Caller("alice", ()).label == "alice"

    @pytest.mark.parametrize(
        ("caller", "user"),
        [
            (Caller.janitor(), "researcher:janitor"),
            (Caller.anonymous(), "researcher:anonymous"),
            (Caller.for_uploads("uploads"), "researcher:s3-uploads"),
        ],
    )
    def test_our_own_are_named_in_the_audit_log(self, caller: Caller, user: str) -> None:
        """Each as what it is, and put up by nobody."""
        assert (caller.user, caller.uploader) == (user, None)


class TestUserLabel:
    """The label value that stands for a subject."""

    def test_subject_that_is_a_label_value_stays(self) -> None:
        """Whoever uses kubectl selects by the plain name."""
        assert user_label("alice.b-1") == "alice.b-1"

    @pytest.mark.parametrize("subject", ["auth0|1", "alice@example.com", "a" * 64, "alice-", "sha256-abc"])
    def test_others_are_hashed(self, subject: str) -> None:
        """What Kubernetes does not take, and what looks like a hash, stands as a hash."""
        label = user_label(subject)

        assert label.startswith("sha256-")
        assert label != subject
        assert is_label_value(label)

    def test_hash_stays(self) -> None:
        """Jobs of yesterday are found by the label of today."""
        assert user_label("auth0|1") == "sha256-b03e5d4509cd37476db38fb76f9b5b3ca8de1e69"

    def test_hash_of_a_hash_is_another(self) -> None:
        """A subject that is spelt like another's label does not get that label."""
        assert user_label(user_label("auth0|1")) != user_label("auth0|1")

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=70))
    def test_every_subject_has_a_label(self, subject: str) -> None:
        """Whatever is asked for, the selector made of it has one term."""
        assert is_label_value(user_label(subject))
