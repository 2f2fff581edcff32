"""The first response of a process: milliseconds from the event to the response, with remote services.

The process has loaded the code, as after Lambda's INIT, but has no key, no role session, and no connection unless INIT
opens it. The floor sends the recorded requests of the product to the same servers in sequence, on open connections and
without a Lambda. The naive peer has bytecode, which is its best case.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import environment
from tests.bench.cold_start import REQUESTS, ColdStarts, deployment, describe, peer
from tests.bench.figures import Comparison, Figure, in_turns
from tests.bench.remote_services import RemoteServices
from tests.bench.target import Target
from tests.package.packaged_template import logical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.gateway_request import Request
    from tests.bench.remote_services import Recording
    from tests.deployed.execution import Function

FUNCTIONS = ("submit_job", "list_jobs", "get_job", "delete_job")


class Floor(NamedTuple):
    """The recorded requests of a first response for the Job *name*."""

    name: str
    recording: Recording


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Compare each of the four functions with the naive peer and the floor, on one embedded cluster."""
    with deployment(artefacts) as (deployed, alice), RemoteServices(deployed, artefacts.folder) as cloud:
        describe(deployed, cloud.cluster_url)
        functions = {name: deployed.lambdas.functions[logical(name)] for name in FUNCTIONS}
        naive = peer(functions["list_jobs"], "naive", artefacts.bytecode)
        responses = FirstResponses(cloud, ColdStarts(alice, cloud.issuer.mint("alice")))
        yield from responses.results(functions, naive, rounds)


class FirstResponses:
    """Measures functions that use the services *cloud*."""

    def __init__(self, cloud: RemoteServices, starts: ColdStarts) -> None:
        self._cloud = cloud
        self._starts = starts

    def results(self, functions: Mapping[str, Function], naive: Function, rounds: int) -> Iterator[Result]:
        """Compare each of *functions* with the *naive* peer and the floor."""
        floors, targets = {}, {}
        for name, function in functions.items():
            floors[name] = floor = self._record(function, REQUESTS[name])
            targets[f"ours: {name}"] = partial(self._respond, function, REQUESTS[name])
            targets[f"peer: {name}"] = partial(self._respond, naive, REQUESTS[name])
            targets[f"floor: {name}"] = partial(self._send, floor, REQUESTS[name])
        samples = in_turns(targets, rounds)
        for name, floor in floors.items():
            ours = Figure.of(f"first response of {name}", "ms", samples[f"ours: {name}"])
            yield Comparison(ours, Figure.of("naive peer, bytecode", "ms", samples[f"peer: {name}"]))
            what = f"its requests on open connections ({floor.recording.counts})"
            yield Comparison(ours, Figure.of(what, "ms", samples[f"floor: {name}"]))

    def _respond(self, function: Function, request: Request) -> float:
        remote = replace(function, environment=dict(function.environment) | self._cloud.variables)
        return self._starts.first_response(remote, request, self._starts.name(request))

    def _record(self, function: Function, request: Request) -> Floor:
        """Record the requests of the first response for a new Job."""
        name = self._starts.name(request)

        def invoke(variables: Mapping[str, str]) -> None:
            remote = replace(function, environment=dict(function.environment) | dict(variables))
            self._starts.first_response(remote, request, name)

        return Floor(name, self._cloud.record(invoke))

    def _send(self, floor: Floor, request: Request) -> float:
        """Return the milliseconds of the same requests from a new process with open connections."""
        requests = floor.recording.named(floor.name, self._starts.name(request))
        variables = dict(os.environ) | self._cloud.variables | {"ORIGINS": " ".join(floor.recording.urls)}
        with Target("open_connections:handle", [environment.PEERS / "direct"], variables) as target:
            return target.run([requests], {200, 201}).wall[0]
