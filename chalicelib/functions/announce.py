"""announce: every minute, tells EventBridge of the Jobs that have finished since."""

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
"""How long it takes to tell of a few Jobs and to mark them: EventBridge is tried twice."""


@routes.lambda_function(name="announce")
@on_event
def handle(event: Event) -> AnnouncementReport:
    """Announces what has finished in all Projects, as the janitor."""
    connected = cluster.connect(settings())
    ports = Ports(
        KubernetesJobs(connected, Caller.janitor(), event.deadline),
        KubernetesFinishedJobs(connected, Caller.janitor(), event.deadline),
        event_bus.connect(settings()),
        lambda: not event.deadline.before(SECONDS_PER_BATCH).remaining,
    )
    namespaces = connected.namespaces(event.deadline)
    told = announce(namespaces, settings().cluster_name, datetime.now(UTC), ports)
    event.notes |= told.log_fields
    event.counts |= told.counts
    return told
