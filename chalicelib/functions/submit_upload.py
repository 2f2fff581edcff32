"""submit_upload: an object uploaded below submit/ creates a Job exactly once; its status object has the result."""

from __future__ import annotations

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.aws import bucket
from chalicelib.adapters.aws.uploads import S3Uploads
from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.preflight import jobs_with_preflight
from chalicelib.domain.caller import Caller
from chalicelib.domain.uploads.s3_event import read_event
from chalicelib.runtime.event_handler import Event, on_event
from chalicelib.settings import settings
from chalicelib.usecases.submit_upload import Outcome, submit_uploads

routes = Blueprint(__name__)


@routes.lambda_function(name="submit_upload")
@on_event
def handle(event: Event) -> list[Outcome]:
    """Submit the objects in an S3 event; after all were processed, raise an error that a retry may resolve."""
    name = settings().uploads_bucket
    jobs = jobs_with_preflight(
        settings().preflight, cluster.connect(settings()), Caller.for_uploads(name), event.deadline
    )
    uploads = S3Uploads(bucket.connect(settings()))
    outcomes, failures = submit_uploads(read_event(event.document, name), event.request_id, uploads, jobs)
    event.notes["uploads"] = msgspec.to_builtins(outcomes)
    if failures:
        raise failures[0]
    return outcomes
