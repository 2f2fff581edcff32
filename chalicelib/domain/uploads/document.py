"""An uploaded document as a Submission: JSON or YAML by its key's ending, the Project by its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.errors import BodyTooLarge, FieldError, InvalidJob, MalformedRequest
from chalicelib.domain.parsing.strict_json import json_document
from chalicelib.domain.parsing.strict_yaml import yaml_document
from chalicelib.domain.submission.model import Submission, parse_submission
from chalicelib.domain.uploads.s3_event import MAX_UPLOAD, SUBMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.names import ProjectName
    from chalicelib.domain.uploads.s3_event import Upload

_READERS: dict[str, Callable[[bytes], Any]] = {"json": json_document, "yaml": yaml_document, "yml": yaml_document}


def check_name_and_size(upload: Upload) -> None:
    """Refuses what need not be read to be refused, by its name and by the size that S3 tells."""
    if _extension(upload) not in _READERS:
        raise MalformedRequest("An upload is a .json, .yaml or .yml file. Upload it under such a name.")
    check_size(upload.size)


def check_size(size: int) -> None:
    """BodyTooLarge when a document of *size* bytes is none that is read."""
    if size > MAX_UPLOAD:
        raise BodyTooLarge(f"An upload has at most {MAX_UPLOAD} bytes. Put large inputs into a volume or an image.")


def parse_upload(upload: Upload, body: bytes) -> Submission:
    """What *body* asks for, `{"job": {...}}` or the bare Job, in the Project whose folder it is in."""
    check_size(len(body))
    document = _READERS[_extension(upload)](body)
    wrapped = isinstance(document, dict) and document.keys() == {"job"}
    job = _with_project(upload.project, document["job"] if wrapped else document)
    asked = parse_submission({"job": job} if wrapped else job)
    if asked.project != upload.project:
        message = f"is not the Project of the folder {SUBMIT}{upload.project}/; leave it out, or upload to its own"
        raise InvalidJob.at(FieldError("/job" * wrapped + "/project", message))
    return asked


def _with_project(project: ProjectName, job: object) -> object:
    return {"project": project, **job} if isinstance(job, dict) else job


def _extension(upload: Upload) -> str:
    return upload.key.rpartition(".")[2].lower()
