"""submit_upload: an object put below submit/ in the bucket makes a Job, exactly once; its status tells how it went."""

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
    """Submits what S3 tells of; raises where another try may help, once every record had its turn."""
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
