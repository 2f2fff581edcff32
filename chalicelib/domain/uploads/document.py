"""Parse an uploaded document as a Submission: the extension selects JSON or YAML, the folder is the Project."""

from __future__ import annotations

import codecs
from functools import partial
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

_PARSERS: dict[str, Callable[..., Any]] = {
    "json": partial(json_document, thing="document"),
    "yaml": yaml_document,
    "yml": yaml_document,
}


def check_name_and_size(upload: Upload) -> None:
    """Raise an error if the extension, or the size in the S3 event, is not accepted, before the object is read."""
    if _extension(upload) not in _PARSERS:
        raise MalformedRequest("The upload must be a .json, .yaml or .yml file. Rename it and upload it again.")
    check_size(upload.size)


def check_size(size: int) -> None:
    """Raise BodyTooLarge if *size*, in bytes, is above MAX_UPLOAD."""
    if size > MAX_UPLOAD:
        raise BodyTooLarge(
            f"The upload must have at most {MAX_UPLOAD} bytes. Put large inputs into a volume or an image."
        )


def parse_upload(upload: Upload, body: bytes) -> Submission:
    """Parse *body*, `{"job": {...}}` or the bare Job; its Project must be that of the folder.

    Raises: BodyTooLarge, MalformedRequest, InvalidJob.
    """
    check_size(len(body))
    _check_encoding(body)
    document = _PARSERS[_extension(upload)](body, literals=True)
    wrapped = isinstance(document, dict) and document.keys() == {"job"}
    job = _with_project(upload.project, document["job"] if wrapped else document)
    submission = parse_submission({"job": job} if wrapped else job)
    if submission.project != upload.project:
        message = f"must be the Project of the folder {SUBMIT}{upload.project}/; remove it, or use the other folder"
        raise InvalidJob.at(FieldError("/job" * wrapped + "/project", message))
    return submission


def _check_encoding(body: bytes) -> None:
    """Raise MalformedRequest for what editors and spreadsheets save in place of plain UTF-8, and for an empty file."""
    if not body.strip():
        raise MalformedRequest("The upload is empty. Write a Job into it, and upload it again.")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in body[:4]:
        raise MalformedRequest("The upload is encoded in UTF-16 or UTF-32. Save it as UTF-8, and upload it again.")
    if body.startswith(codecs.BOM_UTF8):
        raise MalformedRequest("The upload begins with a byte order mark. Save it as UTF-8 without BOM.")


def _with_project(project: ProjectName, job: object) -> object:
    return {"project": project, **job} if isinstance(job, dict) else job


def _extension(upload: Upload) -> str:
    return upload.key.rpartition(".")[2].lower()
