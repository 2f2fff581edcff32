"""Tests of uploaded documents."""

from __future__ import annotations

import json

import pytest

from chalicelib.domain.errors import BodyTooLarge, FieldError, InvalidJob, MalformedRequest
from chalicelib.domain.uploads import document
from chalicelib.domain.uploads.s3_event import MAX_UPLOAD
from chalicelib.runtime.http import MAX_BODY
from tests.support.builders import submission, upload

JOB = {"image": "busybox", "gpu": 2}
OTHER_PROJECT = "must be the Project of the folder submit/team-a/; remove it, or use the other folder"


class TestParseUpload:
    """Tests of parse_upload."""

    @pytest.mark.parametrize("extension", ["json", "JSON", "yaml", "yml", "Yml"])
    def test_json_and_yaml(self, extension: str) -> None:
        """The same document is accepted with any of the extensions, since JSON is YAML."""
        parsed = document.parse_upload(upload(key=f"submit/team-a/a.{extension}"), json.dumps(JOB).encode())

        assert parsed == submission(gpu=2)

    @pytest.mark.parametrize(
        "text", ["image: busybox\ngpu: 2\n", "job:\n  image: busybox\n  gpu: 2\n", "{image: busybox, gpu: 2}"]
    )
    def test_wrapped_form(self, text: str) -> None:
        """The Job can be wrapped in `job`, as in Run:ai's API, in any style of YAML."""
        assert document.parse_upload(upload(key="submit/team-a/a.yaml"), text.encode()) == submission(gpu=2)

    @pytest.mark.parametrize(
        ("content", "pointer", "message"),
        [
            ({**JOB, "project": "team-b"}, "/project", OTHER_PROJECT),
            ({"job": {**JOB, "project": "team-b"}}, "/job/project", OTHER_PROJECT),
            ({**JOB, "project": 7}, "/project", 'must be a string, not a number; for example "team-a"'),
        ],
    )
    def test_project_must_be_that_of_the_folder(self, content: object, pointer: str, message: str) -> None:
        """A user with write access to one folder cannot submit Jobs to the Project of another folder."""
        same_project = json.dumps({**JOB, "project": "team-a"}).encode()
        assert document.parse_upload(upload(), same_project) == submission(gpu=2)

        with pytest.raises(InvalidJob) as error:
            document.parse_upload(upload(), json.dumps(content).encode())

        assert error.value.errors == (FieldError(pointer, message),)

    @pytest.mark.parametrize("content", [None, [], "x", 1, {"job": None}, {"job": []}, {}, {"job": {}}])
    def test_invalid_job(self, content: object) -> None:
        """Invalid Jobs raise the same errors as in an HTTP request."""
        with pytest.raises(InvalidJob):
            document.parse_upload(upload(), json.dumps(content).encode())

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", '{"image": "ä"}'.encode("utf-16"), b"\xef\xbb\xbf{}"])
    def test_invalid_json(self, body: bytes) -> None:
        """JSON is parsed strictly, as in an HTTP request."""
        with pytest.raises(MalformedRequest):
            document.parse_upload(upload(), body)

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            (b"", "is empty"),
            (b" \n\t", "is empty"),
            (b"\xef\xbb\xbf{}", "byte order mark"),
            ("{}".encode("utf-16"), "UTF-16"),
            ("{}".encode("utf-16-le"), "UTF-16"),
            ("{}".encode("utf-16-be"), "UTF-16"),
            ("{}".encode("utf-32-le"), "UTF-16 or UTF-32"),
        ],
    )
    @pytest.mark.parametrize("extension", ["json", "yaml"])
    def test_encoding_is_named(self, extension: str, body: bytes, problem: str) -> None:
        """What an editor saves in place of UTF-8, or an empty file, is named in the error."""
        with pytest.raises(MalformedRequest, match=problem):
            document.parse_upload(upload(key=f"submit/team-a/a.{extension}"), body)

    def test_size_of_the_body_is_checked(self) -> None:
        """The limit applies to the body itself, even if the event reports a smaller size."""
        with pytest.raises(BodyTooLarge):
            document.parse_upload(upload(size=1), b" " * (MAX_UPLOAD + 1))


class TestCheckNameAndSize:
    """Tests of check_name_and_size."""

    @pytest.mark.parametrize("name", ["a", "a.txt", "a.json.gz", "json", ".yaml/a", "a.json ", "a.json\n"])
    def test_other_extension(self, name: str) -> None:
        """The message lists the accepted extensions."""
        with pytest.raises(MalformedRequest, match=r"[.]json, [.]yaml or [.]yml"):
            document.check_name_and_size(upload(key=f"submit/team-a/{name}"))

    def test_size_limit(self) -> None:
        """The limit is inclusive and the same as for the body of an HTTP request."""
        assert MAX_UPLOAD == MAX_BODY
        document.check_name_and_size(upload(size=MAX_UPLOAD))

        with pytest.raises(BodyTooLarge, match="65536"):
            document.check_name_and_size(upload(size=5 * 2**30))
