"""announce: every minute, publishes an event on EventBridge for each Job that has finished."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalice.app import Blueprint

from chalicelib.adapters.aws import event_bus
from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.finished_jobs import KubernetesFinishedJobs
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.domain.caller import Caller
from chalicelib.runtime.event_handler import Event, on_event
from chalicelib.settings import settings
from chalicelib.usecases.announce import Ports, announce

if TYPE_CHECKING:
    from chalicelib.domain.finished.announcement import AnnouncementReport

routes = Blueprint(__name__)

SECONDS_PER_BATCH = 15
"""The time reserved for one batch: to publish its events, in up to two attempts, and to label its Jobs."""


@routes.lambda_function(name="announce")
@on_event
def handle(event: Event) -> AnnouncementReport:
    """Announce the finished Jobs of all Projects, as the janitor."""
    connection = cluster.connect(settings())
    ports = Ports(
        KubernetesJobs(connection, Caller.janitor(), event.deadline),
        KubernetesFinishedJobs(connection, Caller.janitor(), event.deadline),
        event_bus.connect(settings()),
        lambda: not event.deadline.before(SECONDS_PER_BATCH).remaining,
    )
    namespaces = connection.namespaces(event.deadline)
    report = announce(namespaces, settings().cluster_name, datetime.now(UTC), ports)
    event.notes |= report.log_fields
    event.counts |= report.counts
    return report
