"""An uploaded document as a Submission."""

from __future__ import annotations

import json

import pytest

from chalicelib.domain.errors import BodyTooLarge, FieldError, InvalidJob, MalformedRequest
from chalicelib.domain.uploads import document
from chalicelib.domain.uploads.s3_event import MAX_UPLOAD
from chalicelib.runtime.http import MAX_BODY
from tests.support.builders import submission, upload

JOB = {"image": "busybox", "gpu": 2}
ELSEWHERE = "must be the Project of the folder submit/team-a/; remove it, or use the other folder"


class TestSubmission:
    """What a document asks for."""

    @pytest.mark.parametrize("ending", ["json", "JSON", "yaml", "yml", "Yml"])
    def test_is_the_same_in_json_and_yaml(self, ending: str) -> None:
        """JSON is YAML, too."""
        found = document.parse_upload(upload(key=f"submit/team-a/a.{ending}"), json.dumps(JOB).encode())

        assert found == submission(gpu=2)

    @pytest.mark.parametrize(
        "text", ["image: busybox\ngpu: 2\n", "job:\n  image: busybox\n  gpu: 2\n", "{image: busybox, gpu: 2}"]
    )
    def test_may_be_wrapped_as_run_ai_does(self, text: str) -> None:
        """And as it pleases, else."""
        assert document.parse_upload(upload(key="submit/team-a/a.yaml"), text.encode()) == submission(gpu=2)

    @pytest.mark.parametrize(
        ("content", "pointer", "message"),
        [
            ({**JOB, "project": "team-b"}, "/project", ELSEWHERE),
            ({"job": {**JOB, "project": "team-b"}}, "/job/project", ELSEWHERE),
            ({**JOB, "project": 7}, "/project", "must be a string"),
        ],
    )
    def test_project_is_the_folders(self, content: object, pointer: str, message: str) -> None:
        """Whoever may write to one folder must not submit to another's Project; its own may be said again."""
        again = json.dumps({**JOB, "project": "team-a"}).encode()
        assert document.parse_upload(upload(), again) == submission(gpu=2)

        with pytest.raises(InvalidJob) as refused:
            document.parse_upload(upload(), json.dumps(content).encode())

        assert refused.value.errors == (FieldError(pointer, message),)

    @pytest.mark.parametrize("content", [None, [], "x", 1, {"job": None}, {"job": []}, {}, {"job": {}}])
    def test_is_refused_as_over_http(self, content: object) -> None:
        """The same words for the same mistake."""
        with pytest.raises(InvalidJob):
            document.parse_upload(upload(), json.dumps(content).encode())

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", '{"image": "ä"}'.encode("utf-16"), b"\xef\xbb\xbf{}"])
    def test_is_strict_json(self, body: bytes) -> None:
        """As over HTTP."""
        with pytest.raises(MalformedRequest):
            document.parse_upload(upload(), body)

    def test_is_not_larger_than_s3_told(self) -> None:
        """The body is measured, too."""
        with pytest.raises(BodyTooLarge):
            document.parse_upload(upload(size=1), b" " * (MAX_UPLOAD + 1))


class TestCheck:
    """What need not be read to be refused."""

    @pytest.mark.parametrize("name", ["a", "a.txt", "a.json.gz", "json", ".yaml/a", "a.json ", "a.json\n"])
    def test_other_files(self, name: str) -> None:
        """The status says how to call it."""
        with pytest.raises(MalformedRequest, match=r"[.]json, [.]yaml or [.]yml"):
            document.check_name_and_size(upload(key=f"submit/team-a/{name}"))

    def test_large_files(self) -> None:
        """Five gigabytes are not even begun; the last byte that is taken is. The limit is that of a request."""
        assert MAX_UPLOAD == MAX_BODY
        document.check_name_and_size(upload(size=MAX_UPLOAD))

        with pytest.raises(BodyTooLarge, match="65536"):
            document.check_name_and_size(upload(size=5 * 2**30))
