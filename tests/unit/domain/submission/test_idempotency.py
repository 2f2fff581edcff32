"""Tests of the idempotency of submissions."""

from __future__ import annotations

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
    JobBeingDeleted,
    MalformedRequest,
    NameTaken,
)
from chalicelib.domain.kubernetes.jobs import Job
from chalicelib.domain.labels import KEY_HASH_ANNOTATION, REQUEST_HASH_ANNOTATION, is_label_value
from chalicelib.domain.names import JOB_PATTERN, NEW_JOB_PATTERN
from chalicelib.domain.submission.deduplication_key import (
    DeduplicationKey,
    IdempotencyKey,
    ObjectVersion,
    UniqueRequest,
    require_valid_key,
)
from chalicelib.domain.submission.idempotency import (
    RETRY_AFTER_DELETION,
    JobIdentity,
    identify,
    identify_shared,
    require_same_request,
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
    """Tests of the name of a Job."""

    def test_requested_name(self) -> None:
        """A name in the submission takes precedence over the deduplication key."""
        assert identify(submission(name="train-1"), ALICE, KEY).name == "train-1"

    def test_name_from_a_key(self) -> None:
        """The same key gives the same name, and another key another name."""
        first, repeated, other = (identify(submission(), ALICE, IdempotencyKey(key)).name for key in ("1", "1", "2"))

        assert first == repeated != other

    def test_name_from_a_nonce(self) -> None:
        """Requests without a key have different names."""
        first, second = (identify(submission(), ALICE, UniqueRequest(nonce)).name for nonce in ("nonce", "other"))

        assert first != second

    @pytest.mark.parametrize(
        ("fields", "prefix"),
        [
            ({}, "train-"),
            ({"interactive": True}, "interactive-"),
            ({"type": "Interactive"}, "interactive-"),
            ({"jobNamePrefix": "sweep-7", "interactive": True}, "sweep-7-"),
        ],
    )
    def test_prefix(self, fields: dict[str, object], prefix: str) -> None:
        """A generated name has the requested prefix, or else the type, and ten characters of a hash."""
        name = identify(submission(**fields), ALICE, NONCE).name

        assert re.fullmatch(prefix + "[a-z2-7]{10}", name)

    def test_name_depends_only_on_the_key(self) -> None:
        """The same key with another submission must give the same name, so that the conflict is detected."""
        submissions_with_key = (submission(), submission(interactive=True), submission(gpu=3))

        assert len({identify(each, ALICE, KEY).name for each in submissions_with_key}) == 1

    def test_key_and_prefix(self) -> None:
        """The hash of the key follows the prefix; the label is the same for all prefixes, and valid."""
        plain, sweep, other = (
            identify(submission(**fields), ALICE, KEY)
            for fields in ({}, {"jobNamePrefix": "sweep"}, {"jobNamePrefix": "other"})
        )

        assert sweep.name == "sweep" + plain.name.removeprefix("job")
        assert plain.key_label == sweep.key_label == other.key_label
        assert is_label_value(plain.key_label or "?")
        assert len({plain.request_hash, sweep.request_hash, other.request_hash}) == 3

    @pytest.mark.parametrize("key", [NONCE, VERSION])
    def test_only_a_key_has_a_label(self, key: DeduplicationKey) -> None:
        """A Job is found by its name where the name does not come from a key."""
        assert identify(submission(), ALICE, key).key_label is None
        assert identify(submission(name="train-1"), ALICE, KEY).key_label is None

    def test_name_from_a_key_is_stable(self) -> None:
        """A new release gives a key the same name as earlier releases."""
        job_identity = identify(submission(), ALICE, IdempotencyKey("sweep-7-trial-3"))

        assert job_identity.name == "job-673nkzhjgb"

    @pytest.mark.parametrize(
        ("file", "fields", "prefix"),
        [
            ("sweep.yaml", {}, "sweep"),
            ("7/Sweep 7_b.v2.yaml", {}, "sweep-7-b-v2"),
            (f"{'long-' * 9}.json", {}, "long-long-long-long-long-long-long-long"),
            ("sweep.yaml", {"jobNamePrefix": "mine"}, "mine"),
            ("\u5b66.json", {}, "train"),
            (".json", {"type": "Interactive"}, "interactive"),
        ],
    )
    def test_prefix_of_an_upload(self, file: str, fields: dict[str, object], prefix: str) -> None:
        """The name of an upload begins with the requested prefix, or else the name of its file."""
        name = identify(submission(**fields), ALICE, ObjectVersion("uploads", f"submit/team-a/{file}", "1")).name

        assert re.fullmatch(prefix + "-[a-z2-7]{10}", name)

    def test_name_from_an_object_version(self) -> None:
        """The same version gives the same name, and another version or object another name."""
        versions = [("b", "k.json", "1"), ("b", "k.json", "2"), ("c", "k.json", "1"), ("b", "l/k.json", "1")]

        names = [identify(submission(), ALICE, ObjectVersion(*each)).name for each in versions * 2]

        assert len(set(names)) == len(versions)
        assert names[:4] == names[4:]

    @given(submissions(), st.builds(UniqueRequest, st.text()) | st.builds(IdempotencyKey, KEYS) | VERSIONS)
    def test_any_name_is_valid(self, subject: object, deduplication_key: DeduplicationKey) -> None:
        """Every name is valid for a new Job."""
        name = identify(subject, ALICE, deduplication_key).name  # type: ignore[arg-type] # hypothesis knows objects only

        assert re.fullmatch(NEW_JOB_PATTERN, name)

    def test_name_of_an_upload_is_stable(self) -> None:
        """A delivery after a new release finds the Job of the earlier release."""
        file = ObjectVersion("uploads", f"submit/team-a/{'a' * 60}.yaml", "1")

        assert identify(submission(), ALICE, file).name == "a" * 40 + "-vwh5ram4hd"

    @pytest.mark.parametrize("deduplication_key", [IdempotencyKey("key", "nonce"), UniqueRequest("nonce")])
    @pytest.mark.parametrize("name", [None, "train-1"])
    def test_service_depends_on_the_nonce(self, deduplication_key: DeduplicationKey, name: str | None) -> None:
        """Different deliveries have different Services, even for the same name of a Job."""
        fields = {"name": name} if name else {}
        job_identity = identify(submission(**fields), ALICE, deduplication_key)

        assert job_identity.nonce == "nonce"
        other = JobIdentity(job_identity.name, job_identity.request_hash, None, "other")
        assert job_identity.service != other.service

    def test_service_of_an_upload(self) -> None:
        """The Service of an upload depends on the version of the object."""
        assert identify(submission(), ALICE, VERSION).nonce == VERSION.nonce

    def test_length_of_the_service_name(self) -> None:
        """The name of the Service is truncated to 63 characters, without a double hyphen."""
        assert len(JobIdentity("a" * 60, "asked", None, "nonce").service) == 63
        assert "--" not in JobIdentity("a" * 47 + "-" + "b" * 10, "asked", None, "nonce").service

    def test_nonce_is_excluded_from_equality(self) -> None:
        """Two deliveries with the same key are equal."""
        assert IdempotencyKey("key", "nonce") == IdempotencyKey("key", "other")


class TestResubmissionName:
    """Tests of resubmission_name."""

    def test_depends_on_the_job(self) -> None:
        """The name contains that of the original Job and depends on its UID."""
        first, second = (resubmission_name("sweep", uid) for uid in ("u1", "u2"))

        assert (first, first == second) == (resubmission_name("sweep", "u1"), False)
        assert re.fullmatch("sweep-[a-z2-7]{10}", first)

    @given(st.from_regex(JOB_PATTERN, fullmatch=True).filter(lambda name: len(name) < 64), st.text(max_size=40))
    def test_is_valid(self, name: str, uid: str) -> None:
        """The name is valid for a new Job, whatever the name of the original."""
        assert re.fullmatch(NEW_JOB_PATTERN, resubmission_name(name, uid))

    def test_length_is_limited(self) -> None:
        """A long name is truncated before the suffix is appended."""
        assert len(resubmission_name("a" * 60, "uid")) == 52

    def test_no_double_hyphen(self) -> None:
        """A name that is truncated after a hyphen has no double hyphen."""
        assert "--" not in resubmission_name("a" * 40 + "-" + "b" * 10, "uid")


class TestIdentifyShared:
    """Tests of identify_shared."""

    def test_does_not_depend_on_the_caller(self) -> None:
        """The identity depends only on the submission, and differs from that of any caller's own request."""
        first, second = submission(name="again"), submission(name="again", gpu=1)

        assert identify_shared("again", first) == identify_shared("again", first)
        assert identify_shared("again", first).key_hash is None
        hashes = {
            identify_shared("again", first),
            identify_shared("again", second),
            identify(first, ALICE, UniqueRequest("nonce")),
        }
        assert len(hashes) == 3


class TestKeyHash:
    """Tests of the hash of an Idempotency-Key."""

    @pytest.mark.parametrize("name", [None, "train-1"])
    def test_without_a_key(self, name: str | None) -> None:
        """A request without a key has no key hash."""
        assert identify(submission(name=name), ALICE, NONCE).key_hash is None

    def test_scope_of_a_key(self) -> None:
        """A key is scoped to the caller and the Project."""
        hashes = {
            identify(submission(project=project), caller, IdempotencyKey(key)).key_hash
            for project in ("team-a", "team-b")
            for caller in (ALICE, BOB)
            for key in ("1", "2")
        }

        assert len(hashes) == 8

    def test_key_is_not_stored(self) -> None:
        """The identity does not contain the key in plain text."""
        assert "sweep" not in repr(identify(submission(), ALICE, IdempotencyKey("sweep")))

    def test_groups_do_not_matter(self) -> None:
        """A retry is recognized even if the groups of the caller have changed."""
        promoted = Caller("alice", ("team-a", "admins"))

        assert identify(submission(), ALICE, KEY) == identify(submission(), promoted, KEY)

    def test_parts_do_not_collide(self) -> None:
        """The hash includes the boundaries of its parts."""
        parts = [("a", "b", "cd"), ("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "c"), ("a", "b", "cde")]

        hashes = {
            identify(submission(project=project), Caller(subject, ()), IdempotencyKey(key)).key_hash
            for subject, project, key in parts
        }

        assert len(hashes) == len(parts)


class TestRequestHash:
    """Tests of the request hash."""

    def test_same_request(self) -> None:
        """The order of fields, explicit defaults and the nonce do not change the hash."""
        implicit = identify(submission(name="a", labels={"x": "1", "y": "2"}), ALICE, UniqueRequest("1"))
        explicit = identify(
            submission(labels={"y": "2", "x": "1"}, gpu=0.0, completions=None, name="a"), ALICE, UniqueRequest("2")
        )

        assert implicit == explicit

    def test_all_fields_are_hashed(self) -> None:
        """A different value of any field changes the hash."""
        variants: list[dict[str, object]] = [
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

        hashes = {identify(submission(name="a", **fields), ALICE, NONCE).request_hash for fields in variants}

        assert len(hashes) == len(variants)

    def test_caller_is_hashed(self) -> None:
        """The same submission of another caller is another request."""
        assert identify(submission(name="a"), ALICE, NONCE) != identify(submission(name="a"), BOB, NONCE)

    def test_kinds_of_requests_differ(self) -> None:
        """Requests with a name, a key, a nonce and an upload are never the same request."""
        named = identify(submission(name="train-a"), ALICE, NONCE)
        keyed = identify(submission(), ALICE, KEY)
        unique = identify(submission(), ALICE, NONCE)
        other = identify(submission(), ALICE, UniqueRequest("other"))
        uploaded = identify(submission(), ALICE, VERSION)

        assert all(
            a.request_hash != b.request_hash for a, b in combinations((named, keyed, unique, other, uploaded), 2)
        )

    def test_unique_request_is_repeatable(self) -> None:
        """A retry within a request recognizes its Job after a response of the cluster was lost."""
        assert identify(submission(), ALICE, NONCE) == identify(submission(), ALICE, NONCE)

    def test_hash_is_a_sha256(self) -> None:
        """The hash fits into an annotation and does not reveal values."""
        assert re.fullmatch("[0-9a-f]{64}", identify(submission(name="a"), ALICE, NONCE).request_hash)


class TestRequireValidKey:
    """Tests of require_valid_key."""

    @pytest.mark.parametrize("key", ["1", "a b", "~!", "x" * 255, '"quoted"', "8e03978e-40d5-43dd-bc93-6894a57f9324"])
    def test_valid(self, key: str) -> None:
        """A key has up to 255 printable ASCII characters."""
        assert key == require_valid_key(key)

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\n", "a\x00", "\x7f", "ä", "\u0663", "\ud800", "a\tb"])
    def test_invalid(self, key: str) -> None:
        """Keys with characters that a proxy might change are rejected."""
        with pytest.raises(MalformedRequest) as error:
            require_valid_key(key)

        rule = "must have 1 to 255 printable ASCII characters"
        assert (FieldError("/Idempotency-Key", rule),) == error.value.errors

    @pytest.mark.parametrize("name", [None, "train-1"])
    def test_identify_validates_the_key(self, name: str | None) -> None:
        """An invalid key is rejected even if the submission has a name."""
        with pytest.raises(MalformedRequest):
            identify(submission(name=name), ALICE, IdempotencyKey(""))


def received(original: Job) -> Job:
    """Return a copy of *original*, as decoded from a response of the cluster."""
    return msgspec.json.decode(msgspec.json.encode(original), type=Job)


class TestRequireSameRequest:
    """Tests of require_same_request."""

    def test_same_hash(self) -> None:
        """A replayed request returns the Job of the first one."""
        existing = received(job(annotations={REQUEST_HASH_ANNOTATION: "asked"}))

        assert require_same_request(existing, identity()) is existing

    def test_other_hash(self) -> None:
        """A Job of another request raises NameTaken."""
        with pytest.raises(NameTaken, match="train-1"):
            require_same_request(job(annotations={REQUEST_HASH_ANNOTATION: "other"}), identity())

    def test_job_without_hash(self) -> None:
        """A Job of kubectl has no hash and raises NameTaken."""
        with pytest.raises(NameTaken):
            require_same_request(job(), identity())

    def test_same_key_other_request(self) -> None:
        """Another request with the same key raises IdempotencyKeyReused."""
        existing = received(job(annotations={REQUEST_HASH_ANNOTATION: "other", KEY_HASH_ANNOTATION: "key"}))

        with pytest.raises(IdempotencyKeyReused):
            require_same_request(existing, identity(key_hash="key"))

    def test_newer_version_of_an_upload(self) -> None:
        """A new, changed version of an object with the same name finds the Job of the older one: the error says it."""
        first, second = (
            identify(
                submission(name="train-1", gpu=gpu), ALICE, ObjectVersion("uploads", "submit/team-a/a.yaml", version)
            )
            for gpu, version in ((1, "v1"), (2, "v2"))
        )
        existing = job(annotations={REQUEST_HASH_ANNOTATION: first.request_hash, KEY_HASH_ANNOTATION: first.key_hash})

        assert require_same_request(existing, first) is existing
        with pytest.raises(NameTaken, match="An earlier version of this object created the Job train-1"):
            require_same_request(existing, second)

    @pytest.mark.parametrize("key_hash", ["other", None])
    def test_other_key_other_request(self, key_hash: str | None) -> None:
        """A Job of another key, or without a key, raises NameTaken."""
        annotations = {REQUEST_HASH_ANNOTATION: "other", **({KEY_HASH_ANNOTATION: key_hash} if key_hash else {})}

        with pytest.raises(NameTaken):
            require_same_request(job(annotations=annotations), identity(key_hash="key"))

    def test_two_requests_without_a_key(self) -> None:
        """Two requests without a key do not have the same key."""
        with pytest.raises(NameTaken):
            require_same_request(job(annotations={REQUEST_HASH_ANNOTATION: "other"}), identity(key_hash=None))

    @pytest.mark.parametrize("request_hash", ["asked", "other"])
    def test_job_being_deleted(self, request_hash: str) -> None:
        """A Job that is being deleted raises JobBeingDeleted with Retry-After."""
        existing = job(deletion_timestamp=NOW, annotations={REQUEST_HASH_ANNOTATION: request_hash})

        with pytest.raises(JobBeingDeleted) as error:
            require_same_request(existing, identity())

        assert error.value.retry_after == RETRY_AFTER_DELETION == 5

    def test_identity_of_a_replay(self) -> None:
        """The Job of an identity is accepted as a replay of the same identity."""
        first = identify(submission(), ALICE, KEY)

        existing = job(
            first.name,
            annotations={REQUEST_HASH_ANNOTATION: first.request_hash, KEY_HASH_ANNOTATION: first.key_hash},
        )

        assert require_same_request(existing, JobIdentity(first.name, first.request_hash, first.key_hash)) is existing
