"""cleanup: on a schedule, deletes finished Jobs whose retention has expired, and stores a Receipt of each."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.aws import bucket
from chalicelib.adapters.aws.receipts import S3Receipts
from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.finished_jobs import KubernetesFinishedJobs
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.finished.retention import RetentionPolicy
from chalicelib.domain.parsing.strict_json import field_error
from chalicelib.runtime.event_handler import Event, on_event
from chalicelib.settings import Settings, settings
from chalicelib.usecases.cleanup import clean_up
from chalicelib.usecases.delete_expired import Ports

if TYPE_CHECKING:
    from chalicelib.domain.finished.cleanup_report import CleanupReport

routes = Blueprint(__name__)

SECONDS_PER_JOB = 20
"""The time reserved for one Job, with up to two attempts of each request to S3."""


class CleanupEvent(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The event of a run; without `dryRun` the setting CLEANUP_DRY_RUN applies."""

    dry_run: bool | msgspec.UnsetType = msgspec.UNSET


@routes.lambda_function(name="cleanup")
@on_event
def handle(event: Event) -> CleanupReport:
    """Clean up all Projects, as the janitor."""
    parsed, connection = _parse_event(event.document), cluster.connect(settings())
    ports = Ports(
        KubernetesJobs(connection, Caller.janitor(), event.deadline),
        KubernetesFinishedJobs(connection, Caller.janitor(), event.deadline),
        S3Receipts(bucket.connect(settings())),
        lambda: not event.deadline.before(SECONDS_PER_JOB).remaining,
    )
    namespaces, now = connection.namespaces(event.deadline), datetime.now(UTC)
    report = clean_up(namespaces, _retention_policy(settings()), now, ports, dry_run=_is_dry_run(parsed, settings()))
    report.seconds = round(time.monotonic() - event.started, 3)
    event.notes |= report.log_fields
    event.counts |= report.counts
    return report


def _parse_event(document: object) -> CleanupEvent:
    try:
        return msgspec.convert(document, CleanupEvent)
    except msgspec.ValidationError as error:
        message = 'The event of a cleanup must be {"dryRun": true}, {"dryRun": false} or {}.'
        raise MalformedRequest(message, (field_error(error, CleanupEvent, document),)) from error


def _is_dry_run(event: CleanupEvent, deployed: Settings) -> bool:
    return deployed.cleanup_dry_run != "false" if event.dry_run is msgspec.UNSET else event.dry_run


def _retention_policy(deployed: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        retention=deployed.cleanup_retention_seconds,
        failed_retention=deployed.cleanup_failed_retention_seconds,
        max_deletions=deployed.cleanup_max_deletions,
        max_pending=deployed.cleanup_max_pending_seconds,
    )
