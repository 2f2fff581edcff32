"""Exactly once: the name is the lock, the hash tells the same request from another."""

from __future__ import annotations

import contextlib
import re
from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import (
    FieldError,
    IdempotencyKeyReused,
    InvalidJob,
    JobBeingDeleted,
    MalformedRequest,
    NameTaken,
)
from chalicelib.domain.kubernetes.jobs import Job
from chalicelib.domain.labels import KEY_HASH_ANNOTATION, REQUEST_HASH_ANNOTATION
from chalicelib.domain.names import JOB_PATTERN, NEW_JOB_PATTERN
from chalicelib.domain.submission.idempotency import (
    RETRY_AFTER_DELETION,
    DeduplicationKey,
    IdempotencyKey,
    JobIdentity,
    ObjectVersion,
    UniqueRequest,
    identify,
    identify_shared,
    require_same_request,
    require_valid_key,
    resubmission_name,
)
from tests.support.builders import ALICE, BOB, NOW, identity, job, submission
from tests.support.submissions import submissions

KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)
VERSIONS = st.builds(ObjectVersion, st.text(), st.text(), st.text())
KEY, NONCE, VERSION = (
    IdempotencyKey("key"),
    UniqueRequest("nonce"),
    ObjectVersion("uploads", "submit/team-a/sweep.yaml", "1"),
)


class TestName:
    """The name a Job gets."""

    def test_given_name_is_the_name(self) -> None:
        """Neither key nor nonce has a say."""
        assert identify(submission(name="train-1"), ALICE, KEY).name == "train-1"

    def test_key_makes_the_name(self) -> None:
        """The same key makes the same name, and another key another: two deliveries meet at one lock."""
        one, again, other = (identify(submission(), ALICE, IdempotencyKey(key)).name for key in ("1", "1", "2"))

        assert one == again != other

    def test_nonce_makes_the_name_without_a_key(self) -> None:
        """Requests that do not ask to be one are two."""
        one, other = (identify(submission(), ALICE, UniqueRequest(nonce)).name for nonce in ("nonce", "other"))

        assert one != other

    @pytest.mark.parametrize(
        ("fields", "begins"),
        [
            ({}, "train-"),
            ({"interactive": True}, "interactive-"),
            ({"type": "Interactive"}, "interactive-"),
            ({"jobNamePrefix": "sweep-7", "interactive": True}, "sweep-7-"),
        ],
    )
    def test_made_name_begins_as_asked(self, fields: dict[str, object], begins: str) -> None:
        """By the prefix, else by the type; ten characters of the hash follow."""
        name = identify(submission(**fields), ALICE, NONCE).name

        assert re.fullmatch(begins + "[a-z2-7]{10}", name)

    def test_key_makes_one_name_whatever_else_is_asked(self) -> None:
        """Else the same key with another type would make a second Job, where it has to be refused."""
        asked = (submission(), submission(interactive=True), submission(gpu=3))

        assert len({identify(one, ALICE, KEY).name for one in asked}) == 1

    def test_key_goes_without_a_prefix(self) -> None:
        """Two ways to make a name contradict each other; neither is dropped in silence."""
        with pytest.raises(InvalidJob) as refused:
            identify(submission(jobNamePrefix="sweep"), ALICE, KEY)

        assert [error.pointer for error in refused.value.errors] == ["/jobNamePrefix"]

    def test_names_stay(self) -> None:
        """A key of yesterday finds its Job of yesterday after we are deployed anew."""
        found = identify(submission(), ALICE, IdempotencyKey("sweep-7-trial-3"))

        assert found.name == "job-673nkzhjgb"

    @pytest.mark.parametrize(
        ("file", "fields", "begins"),
        [
            ("sweep.yaml", {}, "sweep"),
            ("7/Sweep 7_b.v2.yaml", {}, "sweep-7-b-v2"),
            (f"{'long-' * 9}.json", {}, "long-long-long-long-long-long-long-long"),
            ("sweep.yaml", {"jobNamePrefix": "mine"}, "mine"),
            ("\u5b66.json", {}, "train"),
            (".json", {"type": "Interactive"}, "interactive"),
        ],
    )
    def test_upload_is_named_after_its_file(self, file: str, fields: dict[str, object], begins: str) -> None:
        """As far as a Job can be, unless the document asks for another beginning."""
        name = identify(submission(**fields), ALICE, ObjectVersion("uploads", f"submit/team-a/{file}", "1")).name

        assert re.fullmatch(begins + "-[a-z2-7]{10}", name)

    def test_another_object_or_version_makes_another_name(self) -> None:
        """A new version is a new submission; the same one again is not."""
        versions = [("b", "k.json", "1"), ("b", "k.json", "2"), ("c", "k.json", "1"), ("b", "l/k.json", "1")]

        names = [identify(submission(), ALICE, ObjectVersion(*one)).name for one in versions * 2]

        assert len(set(names)) == len(versions)
        assert names[:4] == names[4:]

    @given(submissions(), st.builds(UniqueRequest, st.text()) | st.builds(IdempotencyKey, KEYS) | VERSIONS)
    def test_every_name_is_a_new_jobs_name(self, asked: object, deduplication_key: DeduplicationKey) -> None:
        """However it is made, pods can be named after it."""
        with contextlib.suppress(InvalidJob):  # a key beside a prefix
            name = identify(asked, ALICE, deduplication_key).name  # type: ignore[arg-type] # hypothesis knows objects only

            assert re.fullmatch(NEW_JOB_PATTERN, name)

    def test_upload_keeps_its_name(self) -> None:
        """A delivery that comes after a release finds the Job of the release before."""
        file = ObjectVersion("uploads", f"submit/team-a/{'a' * 60}.yaml", "1")

        assert identify(submission(), ALICE, file).name == "a" * 40 + "-vwh5ram4hd"

    @pytest.mark.parametrize("deduplication_key", [IdempotencyKey("key", "drawn"), UniqueRequest("drawn")])
    @pytest.mark.parametrize("name", [None, "train-1"])
    def test_service_is_of_what_was_drawn(self, deduplication_key: DeduplicationKey, name: str | None) -> None:
        """Another request's Service is another one, also for a Job of the same name."""
        fields = {"name": name} if name else {}
        found = identify(submission(**fields), ALICE, deduplication_key)

        assert found.nonce == "drawn"
        assert found.service != JobIdentity(found.name, found.request_hash, None, "other").service

    def test_service_of_an_upload_is_of_its_version(self) -> None:
        """Each makes one Job in its life."""
        assert identify(submission(), ALICE, VERSION).nonce == VERSION.nonce

    def test_service_has_a_longest_name(self) -> None:
        """Of 63 characters, and no hyphen stands twice where the Job's name is cut."""
        assert len(JobIdentity("a" * 60, "asked", None, "drawn").service) == 63
        assert "--" not in JobIdentity("a" * 47 + "-" + "b" * 10, "asked", None, "drawn").service

    def test_what_was_drawn_tells_no_request_from_another(self) -> None:
        """A key is the same key the second time."""
        assert IdempotencyKey("key", "drawn") == IdempotencyKey("key", "other")


class TestDerivedName:
    """The name of what follows from another Job."""

    def test_is_the_same_for_the_same_job(self) -> None:
        """It says whose it is; a Job of the same name, but another uid, has another one."""
        one, other = (resubmission_name("sweep", uid) for uid in ("u1", "u2"))

        assert (one, one == other) == (resubmission_name("sweep", "u1"), False)
        assert re.fullmatch("sweep-[a-z2-7]{10}", one)

    @given(st.from_regex(JOB_PATTERN, fullmatch=True).filter(lambda name: len(name) < 64), st.text(max_size=40))
    def test_is_a_new_jobs_name(self, name: str, uid: str) -> None:
        """However the other Job is called."""
        assert re.fullmatch(NEW_JOB_PATTERN, resubmission_name(name, uid))

    def test_is_as_long_as_a_new_name_may_be(self) -> None:
        """Of a longer one as much as fits beside what tells it from others."""
        assert len(resubmission_name("a" * 60, "uid")) == 52

    def test_is_cut_before_a_hyphen(self) -> None:
        """Not behind it, where two would stand."""
        assert "--" not in resubmission_name("a" * 40 + "-" + "b" * 10, "uid")


class TestSharedLock:
    """The lock of what follows from another Job."""

    def test_is_the_same_for_all_who_ask_for_the_same(self) -> None:
        """It knows no caller, and so is no caller's own lock either."""
        one, other = submission(name="again"), submission(name="again", gpu=1)

        assert identify_shared("again", one) == identify_shared("again", one)
        assert identify_shared("again", one).key_hash is None
        hashes = {
            identify_shared("again", one),
            identify_shared("again", other),
            identify(one, ALICE, UniqueRequest("nonce")),
        }
        assert len(hashes) == 3


class TestKeyHash:
    """What a key is known by."""

    @pytest.mark.parametrize("name", [None, "train-1"])
    def test_no_key_no_hash(self, name: str | None) -> None:
        """A Job that was submitted without a key carries none."""
        assert identify(submission(name=name), ALICE, NONCE).key_hash is None

    def test_key_belongs_to_project_and_caller(self) -> None:
        """Two callers, or two Projects, may use the same key and never meet."""
        hashes = {
            identify(submission(project=project), caller, IdempotencyKey(key)).key_hash
            for project in ("team-a", "team-b")
            for caller in (ALICE, BOB)
            for key in ("1", "2")
        }

        assert len(hashes) == 8

    def test_key_is_not_in_it(self) -> None:
        """Whoever may read the Job does not learn the key."""
        assert "sweep" not in repr(identify(submission(), ALICE, IdempotencyKey("sweep")))

    def test_groups_do_not_matter(self) -> None:
        """A retry after the caller joined a group is still a retry."""
        promoted = Caller("alice", ("team-a", "admins"))

        assert identify(submission(), ALICE, KEY) == identify(submission(), promoted, KEY)

    def test_parts_cannot_be_confused(self) -> None:
        """Where one part ends and the next begins is hashed too."""
        parts = [("a", "b", "cd"), ("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "c"), ("a", "b", "cde")]

        hashes = {
            identify(submission(project=project), Caller(subject, ()), IdempotencyKey(key)).key_hash
            for subject, project, key in parts
        }

        assert len(hashes) == len(parts)


class TestRequestHash:
    """What a request is known by."""

    def test_same_request_same_hash(self) -> None:
        """Order of fields, defaults that are written out, and the nonce do not make another request."""
        plain = identify(submission(name="a", labels={"x": "1", "y": "2"}), ALICE, UniqueRequest("1"))
        written = identify(
            submission(labels={"y": "2", "x": "1"}, gpu=0.0, completions=None, name="a"), ALICE, UniqueRequest("2")
        )

        assert plain == written

    def test_any_field_makes_another_request(self) -> None:
        """No field is left out of the hash."""
        asked: list[dict[str, object]] = [
            {},
            {"image": "other"},
            {"gpu": 1},
            {"environment": {"A": "1"}},
            {"environment": {"A": "2"}},
            {"environment": {"A": {"secret": {"name": "a", "key": "b"}}}},
            {"labels": {"a": "1"}},
            {"annotations": {"a": "1"}},
            {"arguments": ["a", "b"]},
            {"arguments": ["a b"]},
            {"command": ["a", "b"]},
            {"runAsUid": 1},
            {"stdin": True},
        ]

        hashes = {identify(submission(name="a", **fields), ALICE, NONCE).request_hash for fields in asked}

        assert len(hashes) == len(asked)

    def test_another_caller_makes_another_request(self) -> None:
        """Alice is not told that Bob's Job is hers."""
        assert identify(submission(name="a"), ALICE, NONCE) != identify(submission(name="a"), BOB, NONCE)

    def test_named_keyed_free_and_uploaded_requests_differ(self) -> None:
        """The same Job asked for in four ways is never mistaken for one request."""
        named = identify(submission(name="train-a"), ALICE, NONCE)
        keyed = identify(submission(), ALICE, KEY)
        free = identify(submission(), ALICE, NONCE)
        other = identify(submission(), ALICE, UniqueRequest("other"))
        uploaded = identify(submission(), ALICE, VERSION)

        assert all(a.request_hash != b.request_hash for a, b in combinations((named, keyed, free, other, uploaded), 2))

    def test_free_request_finds_itself(self) -> None:
        """After an answer got lost, the same attempt knows the Job it made."""
        assert identify(submission(), ALICE, NONCE) == identify(submission(), ALICE, NONCE)

    def test_hash_is_a_sha256(self) -> None:
        """It fits an annotation and gives no value away."""
        assert re.fullmatch("[0-9a-f]{64}", identify(submission(name="a"), ALICE, NONCE).request_hash)


class TestCheckedKey:
    """What is an Idempotency-Key."""

    @pytest.mark.parametrize("key", ["1", "a b", "~!", "x" * 255, '"quoted"', "8e03978e-40d5-43dd-bc93-6894a57f9324"])
    def test_printable_ascii_is_taken(self, key: str) -> None:
        """Up to 255 characters."""
        assert key == require_valid_key(key)

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\n", "a\x00", "\x7f", "ä", "\u0663", "\ud800", "a\tb"])
    def test_anything_else_is_refused(self, key: str) -> None:
        """Nothing that a proxy might change on its way."""
        with pytest.raises(MalformedRequest) as refused:
            require_valid_key(key)

        rule = "must have 1 to 255 printable ASCII characters"
        assert (FieldError("/Idempotency-Key", rule),) == refused.value.errors

    @pytest.mark.parametrize("name", [None, "train-1"])
    def test_lock_checks_it(self, name: str | None) -> None:
        """A bad key is refused even where the name alone would do: the caller relies on it."""
        with pytest.raises(MalformedRequest):
            identify(submission(name=name), ALICE, IdempotencyKey(""))


def sent(made: Job) -> Job:
    """*made* as the cluster sends it: equal, and no part of it the same object."""
    return msgspec.json.decode(msgspec.json.encode(made), type=Job)


class TestReplayed:
    """What the Job that holds the name is."""

    def test_same_hash_is_a_replay(self) -> None:
        """The caller gets the Job that the first delivery made."""
        found = sent(job(annotations={REQUEST_HASH_ANNOTATION: "asked"}))

        assert require_same_request(found, identity()) is found

    def test_other_hash_is_another_job(self) -> None:
        """The name is taken."""
        with pytest.raises(NameTaken, match="train-1"):
            require_same_request(job(annotations={REQUEST_HASH_ANNOTATION: "other"}), identity())

    def test_job_of_nobody_is_another_job(self) -> None:
        """One made with kubectl has no hash, and is not taken for ours."""
        with pytest.raises(NameTaken):
            require_same_request(job(), identity())

    def test_same_key_other_request(self) -> None:
        """A key means one request; another under the same key is a mistake of the caller."""
        found = sent(job(annotations={REQUEST_HASH_ANNOTATION: "other", KEY_HASH_ANNOTATION: "key"}))

        with pytest.raises(IdempotencyKeyReused):
            require_same_request(found, identity(key_hash="key"))

    @pytest.mark.parametrize("found", ["other", None])
    def test_other_key_other_request(self, found: str | None) -> None:
        """Where another key, or none, made the Job it is just another Job."""
        annotations = {REQUEST_HASH_ANNOTATION: "other", **({KEY_HASH_ANNOTATION: found} if found else {})}

        with pytest.raises(NameTaken):
            require_same_request(job(annotations=annotations), identity(key_hash="key"))

    def test_no_key_matches_no_key_of_the_job(self) -> None:
        """Two Jobs without a key do not share one."""
        with pytest.raises(NameTaken):
            require_same_request(job(annotations={REQUEST_HASH_ANNOTATION: "other"}), identity(key_hash=None))

    @pytest.mark.parametrize("request_hash", ["asked", "other"])
    def test_being_deleted_is_no_replay(self, request_hash: str) -> None:
        """A Job on its way out is nobody's: the caller is told when to come back."""
        found = job(deletion_timestamp=NOW, annotations={REQUEST_HASH_ANNOTATION: request_hash})

        with pytest.raises(JobBeingDeleted) as refused:
            require_same_request(found, identity())

        assert refused.value.retry_after == RETRY_AFTER_DELETION == 5

    def test_lock_is_its_own_replay(self) -> None:
        """What `lock` makes and what is read back fit together."""
        wanted = identify(submission(), ALICE, KEY)

        found = job(
            wanted.name,
            annotations={REQUEST_HASH_ANNOTATION: wanted.request_hash, KEY_HASH_ANNOTATION: wanted.key_hash},
        )

        assert require_same_request(found, JobIdentity(wanted.name, wanted.request_hash, wanted.key_hash)) is found
