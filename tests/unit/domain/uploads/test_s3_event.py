"""What S3 tells of uploads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.uploads.s3_event import IgnoredRecord, Upload, read_event
from tests.support.builders import TEAM_A, record, upload

BUCKET = "researcher-uploads"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(), one, max_size=3),
)


def read(**fields: Any) -> Upload | IgnoredRecord:  # noqa: ANN401 - whatever a record may hold
    """What an event of one record with *fields* tells."""
    (found,) = read_event({"Records": [record(**fields)]}, BUCKET)
    return found


class TestReadEvent:
    """An event of S3."""

    def test_is_read_to_its_last_record(self) -> None:
        """S3 sends one, and promises nothing."""
        keys = [f"submit/team-a/{number}.json" for number in range(3)]

        found = read_event({"Records": [record(key) for key in keys]}, BUCKET)

        assert [one.key for one in found] == keys

    def test_tells_what_was_put_there(self) -> None:
        """Each field from its place in the record."""
        assert read(key="submit/team-a/a/b.json", sequencer="0A1", version="v1", size=7) == Upload(
            bucket=BUCKET,
            project=TEAM_A,
            key="submit/team-a/a/b.json",
            version="v1",
            sequencer="0A1",
            etag='"d41d8cd98f00b204e9800998ecf8427e"',
            size=7,
            uploader="AWS:AIDAEXAMPLE",
        )

    @pytest.mark.parametrize(
        ("written", "key"),
        [
            ("submit/team-a/a+b.json", "submit/team-a/a b.json"),
            ("submit/team-a/a%2Bb.json", "submit/team-a/a+b.json"),
            ("submit/team-a/a%0Ab.json", "submit/team-a/a\nb.json"),
            ("submit/team-a//a.json", "submit/team-a//a.json"),
            ("submit/team-a/a..b.json", "submit/team-a/a..b.json"),
            ("submit/team-a/" + "a" * 1000 + ".json", "submit/team-a/" + "a" * 1000 + ".json"),
        ],
    )
    def test_keys_are_form_encoded(self, written: str, key: str) -> None:
        """Read once, and then taken to the letter."""
        found = read(written=written)

        assert isinstance(found, Upload)
        assert found.key == key

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"bucket": "researcher-uploads-2"}, "object in another bucket"),
            ({"eventName": "ObjectRemoved:Delete"}, "not an ObjectCreated event"),
            ({"eventSource": "aws:sqs"}, "not an ObjectCreated event"),
            ({"key": "submit/team-a/sweep/"}, "not an object below submit/<project>/"),
            ({"key": "submit/team-a"}, "not an object below submit/<project>/"),
            ({"key": "team-a/a.json"}, "not an object below submit/<project>/"),
            ({"key": "submit/a.json"}, "no valid Project in key"),
            ({"key": "submit/Team-A/a.json"}, "no valid Project in key"),
            ({"key": "submit/../team-b/a.json"}, "no valid Project in key"),
            ({"key": "submit/team-a/../team-b/a.json"}, "path traversal segment in key"),
            ({"key": "submit/team-a/./a.json"}, "path traversal segment in key"),
            ({"key": "submit/team-a/" + "é" * 503 + ".json"}, "key too long for its status object"),
            ({"written": "submit/team-a/%ff.json"}, "invalid S3 record"),
            ({"size": -1}, "invalid S3 record"),
            ({"sequencer": "00xz"}, "invalid S3 record"),
            ({"sequencer": "00\n"}, "invalid S3 record"),
            ({"etag": "a\r\nb"}, "invalid S3 record"),
            ({"version": "a b"}, "invalid S3 record"),
        ],
    )
    def test_what_is_no_upload_is_left_alone(self, fields: dict[str, Any], why: str) -> None:
        """Nobody could be told; the log says why."""
        found = read(**fields)

        assert isinstance(found, IgnoredRecord)
        assert found.why == why

    @pytest.mark.parametrize("document", [None, [], "x", {}, {"Records": None}, {"Records": {}}])
    def test_is_no_other_document(self, document: object) -> None:
        """Somebody tried the function by hand."""
        assert read_event(document, BUCKET) == [IgnoredRecord("not an S3 event")]

    def test_may_be_a_test(self) -> None:
        """S3 sends one when the notification is set up."""
        document = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}

        assert read_event(document, BUCKET) == [IgnoredRecord("S3 test event")]

    @given(JSON)
    def test_never_fails(self, document: object) -> None:
        """What fails is tried again, and would fail again."""
        assert all(isinstance(one, IgnoredRecord) for one in read_event({"Records": [document]}, BUCKET))
        assert all(isinstance(one, IgnoredRecord) for one in read_event(document, BUCKET))

    @pytest.mark.parametrize(
        ("principal", "uploader"),
        [
            ("AWS:AROA:alice@example.com", "AWS:AROA:alice@example.com"),
            ("a\nb <ä>", "a_b____"),
            ("a" * 200, "a" * 128),
        ],
    )
    def test_uploader_is_made_harmless(self, principal: str, uploader: str) -> None:
        """It comes from S3, and yet is a text that somebody chose: sessions have names."""
        found = read(principal=principal)

        assert isinstance(found, Upload)
        assert found.uploader == uploader

    def test_uploader_may_be_missing(self) -> None:
        """S3 itself restores and replicates."""
        (found,) = read_event({"Records": [{**record(), "userIdentity": {}}]}, BUCKET)

        assert isinstance(found, Upload)
        assert found.uploader == ""


class TestUpload:
    """An upload."""

    def test_is_known_by_its_version(self) -> None:
        """Each version is a submission, in each delivery the same."""
        versions = [upload(version="1"), upload(version="1", sequencer="2"), upload(version="2")]

        one, again, other = (each.deduplication_key for each in versions)

        assert one == again != other

    @pytest.mark.parametrize("version", [None, "null"])
    def test_without_versions_is_known_by_its_event(self, version: str | None) -> None:
        """The bucket keeps none, or did not when the object came."""
        found = [read(version=version, sequencer=sequencer) for sequencer in ("0A", "0A", "0B")]

        one, again, other = (each.deduplication_key for each in found if isinstance(each, Upload))
        assert one == again != other

    def test_has_its_status_beside_it(self) -> None:
        """No two uploads share one."""
        keys = ["submit/team-a/a.json", "submit/team-a/a.yaml", "submit/team-b/a.json", "submit/team-a/submit/a.json"]

        assert [upload(key=key).status_key for key in keys] == [
            "status/team-a/a.json.json",
            "status/team-a/a.yaml.json",
            "status/team-b/a.json.json",
            "status/team-a/submit/a.json.json",
        ]
