"""Uploads that are none: one status each that says what to do, where the key has room for one, and no second try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from infra.localcluster.kinds import JOB
from tests.support.builders import record
from tests.support.uploads import Uploads, handled, invoked

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


class Poison(NamedTuple):
    """A file, what is in it, what the event says that is not so, and the code of the status."""

    file: str
    body: bytes
    code: str
    told: dict[str, Any] = {}


TOLD = [
    pytest.param(Poison("bomb.yaml", ALIASES, "malformed_request"), id="alias bomb"),
    pytest.param(Poison("merge.yaml", b"a: &a {image: x}\n<<: *a", "malformed_request"), id="merge key"),
    pytest.param(Poison("deep.yaml", b"[" * 60_000, "malformed_request"), id="deep YAML"),
    pytest.param(Poison("deep.json", b"[" * 60_000, "malformed_request"), id="deep JSON"),
    pytest.param(Poison("python.yaml", b"!!python/object/apply:os.system [id]", "malformed_request"), id="Python"),
    pytest.param(Poison("tag.yaml", b"image: !!binary YnVzeWJveA==", "malformed_request"), id="a tag"),
    pytest.param(Poison("twice.yaml", b"image: a\nimage: b", "malformed_request"), id="a key twice in YAML"),
    pytest.param(Poison("twice.json", b'{"image": "a", "image": "b"}', "malformed_request"), id="a key twice in JSON"),
    pytest.param(Poison("two.yaml", b"image: a\n---\nimage: b", "malformed_request"), id="two documents"),
    pytest.param(Poison("binary.json", bytes(range(256)), "malformed_request"), id="binary as JSON"),
    pytest.param(Poison("binary.yaml", bytes(range(256)), "malformed_request"), id="binary as YAML"),
    pytest.param(Poison("16.yaml", "image: busybox".encode("utf-16"), "malformed_request"), id="UTF-16"),
    pytest.param(Poison("16.json", '{"image": "busybox"}'.encode("utf-16-le"), "malformed_request"), id="UTF-16 JSON"),
    pytest.param(Poison("bom.yaml", b"\xef\xbb\xbfimage: busybox", "malformed_request"), id="byte order mark"),
    pytest.param(Poison("bom.json", b"\xef\xbb\xbf" + GOOD, "malformed_request"), id="byte order mark in JSON"),
    pytest.param(Poison("empty.json", b"", "malformed_request"), id="an empty file"),
    pytest.param(Poison("empty.yaml", b"", "invalid_job"), id="an empty YAML"),
    pytest.param(Poison("nan.json", b'{"image": "busybox", "cpu": NaN}', "malformed_request"), id="NaN"),
    pytest.param(Poison("list.yaml", b"- image: busybox", "invalid_job"), id="a list"),
    pytest.param(
        Poison("pod.yaml", b"apiVersion: v1\nkind: Pod\nspec: {hostNetwork: true}", "invalid_job"), id="a Pod"
    ),
    pytest.param(Poison("theirs.json", b'{"image": "busybox", "project": "team-b"}', "invalid_job"), id="a Project"),
    pytest.param(Poison("sexagesimal.yaml", b"image: busybox\ngpu: 1:30", "invalid_job"), id="a sexagesimal"),
    pytest.param(Poison("large.json", GOOD + b" " * 70_000, "body_too_large"), id="too large"),
    pytest.param(Poison("liar.json", GOOD + b" " * 70_000, "body_too_large", {"size": 20}), id="larger than told"),
    pytest.param(Poison("huge.json", GOOD, "body_too_large", {"size": 5 * 2**30}), id="five gigabytes"),
    pytest.param(Poison("job.txt", GOOD, "malformed_request"), id="another ending"),
    pytest.param(Poison("job", GOOD, "malformed_request"), id="no ending"),
    pytest.param(Poison("job.json.gz", GOOD, "malformed_request"), id="compressed"),
    pytest.param(Poison("version.json", GOOD, "upload_gone", {"version": "0" * 32}), id="no such version"),
    pytest.param(Poison("plus+.json", b"x", "malformed_request"), id="a plus"),
    pytest.param(Poison("%2B.json", b"x", "malformed_request"), id="an encoded plus"),
    pytest.param(Poison("é 学.json", b"x", "malformed_request"), id="letters beyond ASCII, and a space"),
    pytest.param(Poison("a\\..\\b.json", b"x", "malformed_request"), id="backslashes"),
    pytest.param(Poison("a//b.json", b"x", "malformed_request"), id="an empty folder"),
    pytest.param(Poison("?a=b&c#d.json", b"x", "malformed_request"), id="marks of URLs"),
    pytest.param(Poison(".json", b"x", "malformed_request"), id="an ending alone"),
    pytest.param(Poison("k" * 1000 + ".json", b"x", "malformed_request"), id="the longest key that has a status"),
]

DROPPED = [
    pytest.param({"key": "submit/team-a/../team-b/x.json"}, id="dot segments"),
    pytest.param({"key": "submit/team-a/./x.json"}, id="a dot segment"),
    pytest.param({"key": "submit/../status/x.json"}, id="dots for a Project"),
    pytest.param({"key": "submit/Team A/x.json"}, id="no Project's name"),
    pytest.param({"key": "submit/team-a\n/x.json"}, id="a new line in the Project"),
    pytest.param({"key": "submit/x.json"}, id="no Project"),
    pytest.param({"key": "submit/team-a/"}, id="a folder"),
    pytest.param({"key": ""}, id="no key"),
    pytest.param({"key": "status/team-a/x.json.json"}, id="a status"),
    pytest.param({"key": "submit/team-a/" + "k" * 1005 + ".json"}, id="1,024 bytes"),
    pytest.param({"written": "submit/team-a/%FF.json"}, id="a key that is no UTF-8"),
    pytest.param({"bucket": "somebody-elses"}, id="another bucket"),
    pytest.param({"eventName": "ObjectRemoved:Delete"}, id="another event"),
    pytest.param({"eventSource": "aws:ses"}, id="another service"),
    pytest.param({"sequencer": "not hex"}, id="no sequencer"),
    pytest.param({"s3": None}, id="nothing told"),
    pytest.param({"s3": {"bucket": {}, "object": {}}}, id="nothing in it"),
]


@pytest.fixture(scope="module")
def uploads(stack: Stack[AnyCluster]) -> Uploads:
    """The bucket."""
    return Uploads(stack)


@pytest.fixture(autouse=True)
def _nothing_is_made(stack: Stack[AnyCluster], uploads: Uploads) -> Iterator[None]:
    """No test here makes a Job anywhere, or a status beyond the one of its upload."""
    before = jobs(stack), uploads.keys()
    yield
    made, told = jobs(stack), uploads.keys()
    assert made == before[0]
    assert len(told) <= len(before[1]) + 1


def jobs(stack: Stack[AnyCluster]) -> set[str]:
    """Every Job of every Project."""
    namespaces = [f"researcher-{project}" for project in ("team-a", "team-b", "team-shared")]
    return {one["metadata"]["uid"] for namespace in namespaces for one in stack.cluster.find(JOB, namespace)}


class TestTold:
    """Uploads with a status."""

    @pytest.mark.parametrize("poison", TOLD)
    def test_status_says_why(self, uploads: Uploads, poison: Poison) -> None:
        """Once, in the words of the API; the function does not raise, so Lambda does not try again."""
        key = f"submit/team-a/{poison.file}"
        event = uploads.put(key, poison.body, **poison.told)

        (outcome,) = handled(event)

        told = uploads.read(f"status/team-a/{poison.file}.json")
        assert outcome == {"outcome": "refused", "key": key, "why": poison.code}
        assert (told["code"], told["instance"]) == (poison.code, "urn:researcher:request:invocation-1")
        assert told["detail"]

    @pytest.mark.parametrize("project", ["team-zzz", "kube-system"])
    def test_a_project_of_nobody_is_forbidden(self, uploads: Uploads, project: str) -> None:
        """The status stands beside the upload, whoever may read it there."""
        (outcome,) = handled(uploads.put(f"submit/{project}/x.json", GOOD))

        assert outcome["why"] == "forbidden"
        assert uploads.read(f"status/{project}/x.json.json")["status"] == 403

    def test_a_deleted_object_is_gone(self, uploads: Uploads) -> None:
        """All of its versions, before anybody read them."""
        event = uploads.put("submit/team-a/deleted.json", GOOD)
        uploads.delete("submit/team-a/deleted.json", event["s3"]["object"]["versionId"])

        (outcome,) = handled(event)

        assert outcome["why"] == "upload_gone"
        assert uploads.read("status/team-a/deleted.json.json")["code"] == "upload_gone"


class TestDropped:
    """Events that nobody can be told about."""

    @pytest.mark.parametrize("fields", DROPPED)
    def test_no_status_and_no_second_try(self, uploads: Uploads, fields: dict[str, Any]) -> None:
        """The log alone has them."""
        before = uploads.keys()

        (outcome,) = handled(record(**fields))

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
    def test_documents_that_are_no_event(self, uploads: Uploads, event: object) -> None:
        """Whoever may invoke the function may send anything."""
        before = uploads.keys()

        (outcome,) = invoked(event)

        assert outcome["outcome"] == "ignored"
        assert uploads.keys() == before

    def test_an_upload_that_was_overwritten_without_versions(self, uploads: Uploads) -> None:
        """What is there now is another event's, which tells of it."""
        overwritten = uploads.put("submit/team-a/overwritten.json", GOOD, version=None)
        uploads.put("submit/team-a/overwritten.json", GOOD + b" ")

        (outcome,) = handled(overwritten)

        assert outcome["outcome"] == "superseded"
        assert "status/team-a/overwritten.json.json" not in uploads.keys("status/team-a/")


def test_poison_does_not_stop_its_neighbours(uploads: Uploads) -> None:
    """Of one event, each record is on its own."""
    bad = uploads.put("submit/team-a/neighbour.yaml", b"&")

    outcomes = handled(None, record("elsewhere"), bad, record(bucket="x"))

    assert [one["outcome"] for one in outcomes] == ["ignored", "ignored", "refused", "ignored"]
