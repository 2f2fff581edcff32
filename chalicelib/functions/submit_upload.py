"""submit_upload: an object put below submit/ in the bucket makes a Job, exactly once; its status tells how it went."""

from __future__ import annotations

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.aws import bucket
from chalicelib.adapters.aws.uploads import StoredUploads
from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.preflight import submitting
from chalicelib.domain.caller import uploads_of
from chalicelib.domain.uploads.s3_event import read_event
from chalicelib.runtime.event_handler import Event, on_event
from chalicelib.settings import settings
from chalicelib.usecases.submit_upload import Outcome, submit_uploads

routes = Blueprint(__name__)


@routes.lambda_function(name="submit_upload")
@on_event
def handle(event: Event) -> list[Outcome]:
    """Submits what S3 tells of; raises where another try may help, once every record had its turn."""
    name = settings().uploads_bucket
    jobs = submitting(settings().preflight, cluster.connect(settings()), uploads_of(name), event.deadline)
    uploads = StoredUploads(bucket.connect(settings()))
    outcomes, failures = submit_uploads(read_event(event.document, name), event.request_id, uploads, jobs)
    event.notes["uploads"] = msgspec.to_builtins(outcomes)
    if failures:
        raise failures[0]
    return outcomes
