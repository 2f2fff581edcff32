"""Invalid uploads: each gets one status that explains the error, if its key allows one, and is not retried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from infra.localcluster.kinds import JOB
from tests.support.builders import record
from tests.support.uploads import Uploads, handle_records, invoke

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster

    AnyCluster = EmbeddedCluster | RealCluster

GOOD = b'{"image": "busybox"}'
ALIASES = b"a: &a [x, x, x]\n" + b"".join(
    b"%c: &%c [*%c, *%c, *%c, *%c]\n" % (96 + n, 96 + n, 95 + n, 95 + n, 95 + n, 95 + n) for n in range(2, 20)
)


class InvalidUpload(NamedTuple):
    """A file, its content, the code of its status, and the fields of the S3 record that do not match it."""

    file: str
    body: bytes
    code: str
    overrides: dict[str, Any] = {}


WITH_STATUS = [
    pytest.param(InvalidUpload("bomb.yaml", ALIASES, "malformed_request"), id="alias bomb"),
    pytest.param(InvalidUpload("merge.yaml", b"a: &a {image: x}\n<<: *a", "malformed_request"), id="merge key"),
    pytest.param(InvalidUpload("deep.yaml", b"[" * 60_000, "malformed_request"), id="deep YAML"),
    pytest.param(InvalidUpload("deep.json", b"[" * 60_000, "malformed_request"), id="deep JSON"),
    pytest.param(
        InvalidUpload("python.yaml", b"!!python/object/apply:os.system [id]", "malformed_request"), id="Python"
    ),
    pytest.param(InvalidUpload("tag.yaml", b"image: !!binary YnVzeWJveA==", "malformed_request"), id="a tag"),
    pytest.param(InvalidUpload("twice.yaml", b"image: a\nimage: b", "malformed_request"), id="a duplicate key in YAML"),
    pytest.param(
        InvalidUpload("twice.json", b'{"image": "a", "image": "b"}', "malformed_request"), id="a duplicate key in JSON"
    ),
    pytest.param(InvalidUpload("two.yaml", b"image: a\n---\nimage: b", "malformed_request"), id="two documents"),
    pytest.param(InvalidUpload("binary.json", bytes(range(256)), "malformed_request"), id="binary as JSON"),
    pytest.param(InvalidUpload("binary.yaml", bytes(range(256)), "malformed_request"), id="binary as YAML"),
    pytest.param(InvalidUpload("16.yaml", "image: busybox".encode("utf-16"), "malformed_request"), id="UTF-16"),
    pytest.param(
        InvalidUpload("16.json", '{"image": "busybox"}'.encode("utf-16-le"), "malformed_request"), id="UTF-16 JSON"
    ),
    pytest.param(InvalidUpload("bom.yaml", b"\xef\xbb\xbfimage: busybox", "malformed_request"), id="byte order mark"),
    pytest.param(InvalidUpload("bom.json", b"\xef\xbb\xbf" + GOOD, "malformed_request"), id="byte order mark in JSON"),
    pytest.param(InvalidUpload("empty.json", b"", "malformed_request"), id="an empty file"),
    pytest.param(InvalidUpload("empty.yaml", b"", "malformed_request"), id="an empty YAML"),
    pytest.param(InvalidUpload("nan.json", b'{"image": "busybox", "cpu": NaN}', "malformed_request"), id="NaN"),
    pytest.param(InvalidUpload("list.yaml", b"- image: busybox", "invalid_job"), id="a list"),
    pytest.param(
        InvalidUpload("pod.yaml", b"apiVersion: v1\nkind: Pod\nspec: {hostNetwork: true}", "invalid_job"), id="a Pod"
    ),
    pytest.param(
        InvalidUpload("theirs.json", b'{"image": "busybox", "project": "team-b"}', "invalid_job"), id="a Project"
    ),
    pytest.param(InvalidUpload("sexagesimal.yaml", b"image: busybox\ngpu: 1:30", "invalid_job"), id="a sexagesimal"),
    pytest.param(InvalidUpload("large.json", GOOD + b" " * 70_000, "body_too_large"), id="too large"),
    pytest.param(
        InvalidUpload("liar.json", GOOD + b" " * 70_000, "body_too_large", {"size": 20}),
        id="larger than the event says",
    ),
    pytest.param(InvalidUpload("huge.json", GOOD, "body_too_large", {"size": 5 * 2**30}), id="five gigabytes"),
    pytest.param(InvalidUpload("job.txt", GOOD, "malformed_request"), id="another extension"),
    pytest.param(InvalidUpload("job", GOOD, "malformed_request"), id="no extension"),
    pytest.param(InvalidUpload("job.json.gz", GOOD, "malformed_request"), id="compressed"),
    pytest.param(InvalidUpload("version.json", GOOD, "upload_gone", {"version": "0" * 32}), id="no such version"),
    pytest.param(InvalidUpload("plus+.json", b"x", "malformed_request"), id="a plus"),
    pytest.param(InvalidUpload("%2B.json", b"x", "malformed_request"), id="an encoded plus"),
    pytest.param(InvalidUpload("é 学.json", b"x", "malformed_request"), id="letters beyond ASCII, and a space"),
    pytest.param(InvalidUpload("a\\..\\b.json", b"x", "malformed_request"), id="backslashes"),
    pytest.param(InvalidUpload("a//b.json", b"x", "malformed_request"), id="an empty folder"),
    pytest.param(InvalidUpload("?a=b&c#d.json", b"x", "malformed_request"), id="URL delimiters"),
    pytest.param(InvalidUpload(".json", b"x", "malformed_request"), id="only an extension"),
    pytest.param(
        InvalidUpload("k" * 1000 + ".json", b"x", "malformed_request"), id="the longest key that has a status"
    ),
]

IGNORED = [
    pytest.param({"key": "submit/team-a/../team-b/x.json"}, id="dot segments"),
    pytest.param({"key": "submit/team-a/./x.json"}, id="a dot segment"),
    pytest.param({"key": "submit/../status/x.json"}, id="dot segment as Project"),
    pytest.param({"key": "submit/Team A/x.json"}, id="invalid Project name"),
    pytest.param({"key": "submit/team-a\n/x.json"}, id="a new line in the Project"),
    pytest.param({"key": "submit/x.json"}, id="no Project"),
    pytest.param({"key": "submit/team-a/"}, id="a folder"),
    pytest.param({"key": ""}, id="no key"),
    pytest.param({"key": "status/team-a/x.json.json"}, id="a status"),
    pytest.param({"key": "submit/team-a/" + "k" * 1005 + ".json"}, id="1,024 bytes"),
    pytest.param({"written": "submit/team-a/%FF.json"}, id="invalid UTF-8"),
    pytest.param({"bucket": "another-bucket"}, id="another bucket"),
    pytest.param({"eventName": "ObjectRemoved:Delete"}, id="another event"),
    pytest.param({"eventSource": "aws:ses"}, id="another service"),
    pytest.param({"sequencer": "not hex"}, id="invalid sequencer"),
    pytest.param({"s3": None}, id="no s3 field"),
    pytest.param({"s3": {"bucket": {}, "object": {}}}, id="empty s3 field"),
]


@pytest.fixture(scope="module")
def uploads(stack: Stack[AnyCluster]) -> Uploads:
    """Return the bucket."""
    return Uploads(stack)


@pytest.fixture(autouse=True)
def _nothing_is_created(stack: Stack[AnyCluster], uploads: Uploads) -> Iterator[None]:
    """Check that no test here creates a Job, or a status other than that of its upload."""
    before = jobs(stack), uploads.keys()
    yield
    created, keys = jobs(stack), uploads.keys()
    assert created == before[0]
    assert len(keys) <= len(before[1]) + 1


def jobs(stack: Stack[AnyCluster]) -> set[str]:
    """Return the uids of all Jobs of all Projects."""
    namespaces = [f"researcher-{project}" for project in ("team-a", "team-b", "team-shared")]
    return {each["metadata"]["uid"] for namespace in namespaces for each in stack.cluster.find(JOB, namespace)}


class TestWithStatus:
    """Uploads that get a status."""

    @pytest.mark.parametrize("invalid", WITH_STATUS)
    def test_status_has_the_error(self, uploads: Uploads, invalid: InvalidUpload) -> None:
        """The status has the API's error, and the function does not raise, so Lambda does not retry."""
        key = f"submit/team-a/{invalid.file}"
        event = uploads.put(key, invalid.body, **invalid.overrides)

        (outcome,) = handle_records(event)

        status = uploads.read(f"status/team-a/{invalid.file}.json")
        assert outcome == {"outcome": "refused", "key": key, "why": invalid.code}
        assert (status["code"], status["instance"]) == (invalid.code, "urn:researcher:request:invocation-1")
        assert status["detail"]

    @pytest.mark.parametrize("project", ["team-zzz", "kube-system"])
    def test_unknown_project_is_forbidden(self, uploads: Uploads, project: str) -> None:
        """The status of an upload to an unknown Project is 403."""
        (outcome,) = handle_records(uploads.put(f"submit/{project}/x.json", GOOD))

        assert outcome["why"] == "forbidden"
        assert uploads.read(f"status/{project}/x.json.json")["status"] == 403

    def test_deleted_object(self, uploads: Uploads) -> None:
        """An upload whose object was deleted before it was read gets the code `upload_gone`."""
        event = uploads.put("submit/team-a/deleted.json", GOOD)
        uploads.delete("submit/team-a/deleted.json", event["s3"]["object"]["versionId"])

        (outcome,) = handle_records(event)

        assert outcome["why"] == "upload_gone"
        assert uploads.read("status/team-a/deleted.json.json")["code"] == "upload_gone"


class TestIgnored:
    """Events without a valid upload, which get no status."""

    @pytest.mark.parametrize("fields", IGNORED)
    def test_is_only_logged(self, uploads: Uploads, fields: dict[str, Any]) -> None:
        """An ignored record is only logged: no status, and no retry."""
        before = uploads.keys()

        (outcome,) = handle_records(record(**fields))

        assert outcome["outcome"] == "ignored"
        assert uploads.keys() == before

    @pytest.mark.parametrize(
        "event",
        [
            {"Event": "s3:TestEvent"},
            {},
            {"Records": {}},
            {"Records": [None]},
            {"Records": [{"s3": None}]},
            [],
            None,
            "x",
        ],
    )
    def test_other_documents(self, uploads: Uploads, event: object) -> None:
        """Any document is accepted, because any principal with access may invoke the function."""
        before = uploads.keys()

        (outcome,) = invoke(event)

        assert outcome["outcome"] == "ignored"
        assert uploads.keys() == before

    def test_overwritten_upload_without_a_version(self, uploads: Uploads) -> None:
        """An overwritten object belongs to a newer event, which has its own status."""
        overwritten = uploads.put("submit/team-a/overwritten.json", GOOD, version=None)
        uploads.put("submit/team-a/overwritten.json", GOOD + b" ")

        (outcome,) = handle_records(overwritten)

        assert outcome["outcome"] == "superseded"
        assert "status/team-a/overwritten.json.json" not in uploads.keys("status/team-a/")


def test_invalid_records_do_not_affect_others(uploads: Uploads) -> None:
    """Each record of an event is handled independently."""
    bad = uploads.put("submit/team-a/neighbour.yaml", b"&")

    outcomes = handle_records(None, record("elsewhere"), bad, record(bucket="x"))

    assert [each["outcome"] for each in outcomes] == ["ignored", "ignored", "refused", "ignored"]
