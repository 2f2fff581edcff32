"""Tests of S3 events."""

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
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def read(**fields: Any) -> Upload | IgnoredRecord:  # noqa: ANN401 - any field of a record
    """Parse an event with one record with *fields*."""
    (parsed,) = read_event({"Records": [record(**fields)]}, BUCKET)
    return parsed


class TestReadEvent:
    """Tests of read_event."""

    def test_returns_every_record(self) -> None:
        """S3 usually sends one record, but does not guarantee it."""
        keys = [f"submit/team-a/{number}.json" for number in range(3)]

        uploads = read_event({"Records": [record(key) for key in keys]}, BUCKET)

        assert [each.key for each in uploads] == keys

    def test_returns_every_field(self) -> None:
        """An Upload contains the fields of the record."""
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
        """Keys are decoded once and not normalized."""
        parsed = read(written=written)

        assert isinstance(parsed, Upload)
        assert parsed.key == key

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
    def test_other_records_are_ignored(self, fields: dict[str, Any], why: str) -> None:
        """A record that is not an upload is ignored, with a reason for the log."""
        parsed = read(**fields)

        assert isinstance(parsed, IgnoredRecord)
        assert parsed.why == why

    @pytest.mark.parametrize("document", [None, [], "x", {}, {"Records": None}, {"Records": {}}])
    def test_other_documents_are_ignored(self, document: object) -> None:
        """A document that is not an S3 event, such as a manual invocation, is ignored."""
        assert read_event(document, BUCKET) == [IgnoredRecord("not an S3 event")]

    def test_s3_test_event_is_ignored(self) -> None:
        """S3 sends a test event when the notification is configured."""
        document = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}

        assert read_event(document, BUCKET) == [IgnoredRecord("S3 test event")]

    @given(JSON)
    def test_any_document_is_accepted(self, document: object) -> None:
        """No document raises an error, since Lambda would retry the event in vain."""
        assert all(isinstance(each, IgnoredRecord) for each in read_event({"Records": [document]}, BUCKET))
        assert all(isinstance(each, IgnoredRecord) for each in read_event(document, BUCKET))

    @pytest.mark.parametrize(
        ("principal", "uploader"),
        [
            ("AWS:AROA:alice@example.com", "AWS:AROA:alice@example.com"),
            ("a\nb <ä>", "a_b____"),
            ("a" * 200, "a" * 128),
        ],
    )
    def test_uploader_is_sanitized(self, principal: str, uploader: str) -> None:
        """The principal contains the name of the session, which users can choose."""
        parsed = read(principal=principal)

        assert isinstance(parsed, Upload)
        assert parsed.uploader == uploader

    def test_missing_uploader(self) -> None:
        """Events of S3's own operations, such as replication, can have no principal."""
        (parsed,) = read_event({"Records": [{**record(), "userIdentity": {}}]}, BUCKET)

        assert isinstance(parsed, Upload)
        assert parsed.uploader == ""


class TestUpload:
    """Tests of Upload."""

    def test_deduplication_key_is_the_version(self) -> None:
        """Every delivery of the same version has the same key, and another version another key."""
        versions = [upload(version="1"), upload(version="1", sequencer="2"), upload(version="2")]

        first, repeated, other = (each.deduplication_key for each in versions)

        assert first == repeated != other

    @pytest.mark.parametrize("version", [None, "null"])
    def test_deduplication_key_without_versioning(self, version: str | None) -> None:
        """In a bucket without versioning, the sequencer of the event is the key."""
        uploads = [read(version=version, sequencer=sequencer) for sequencer in ("0A", "0A", "0B")]

        first, repeated, other = (each.deduplication_key for each in uploads if isinstance(each, Upload))
        assert first == repeated != other

    def test_status_key(self) -> None:
        """Each upload has its own status object."""
        keys = ["submit/team-a/a.json", "submit/team-a/a.yaml", "submit/team-b/a.json", "submit/team-a/submit/a.json"]

        assert [upload(key=key).status_key for key in keys] == [
            "status/team-a/a.json.json",
            "status/team-a/a.yaml.json",
            "status/team-b/a.json.json",
            "status/team-a/submit/a.json.json",
        ]
