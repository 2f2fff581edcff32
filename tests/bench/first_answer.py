"""The first answer of a process: milliseconds from the event to the answer, with everything far away.

The process has loaded the code, as after Lambda's INIT, and knows nothing else: no key, no role session, and no
connection unless INIT has made it. The floor sends what ours sends, recorded, to the same servers: one request after
the other on connections that are open, without a Lambda around it. The peer is compiled, so that it is at its best.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import surroundings
from tests.bench.cold_start import REQUESTS, ColdStarts, deployment, describe, peer
from tests.bench.far_cloud import FarCloud
from tests.bench.figures import Comparison, Figure, in_turns
from tests.bench.subject import Subject
from tests.package.packaged_template import logical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.artefacts import Artefacts
    from tests.bench.asking import Request
    from tests.bench.far_cloud import Recording
    from tests.bench.figures import Result
    from tests.deployed.execution import Function

MEASURED = ("submit_job", "list_jobs", "get_job", "delete_job")


class Floor(NamedTuple):
    """What was sent for a first answer about the Job *name*."""

    name: str
    recording: Recording


def measured(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Each of the four beside the peer and the floor, on one embedded cluster."""
    with deployment(artefacts) as (deployed, alice), FarCloud(deployed, artefacts.folder) as cloud:
        describe(deployed, cloud.cluster_url)
        functions = {name: deployed.lambdas.functions[logical(name)] for name in MEASURED}
        naive = peer(functions["list_jobs"], "naive", artefacts.bytecode)
        answers = FirstAnswers(cloud, ColdStarts(alice, cloud.issuer.mint("alice")))
        yield from answers.results(functions, naive, rounds)


class FirstAnswers:
    """Measures functions whose surroundings are *cloud*."""

    def __init__(self, cloud: FarCloud, starts: ColdStarts) -> None:
        self._cloud = cloud
        self._starts = starts

    def results(self, functions: Mapping[str, Function], naive: Function, rounds: int) -> Iterator[Result]:
        """Each of *functions* beside the *naive* peer and the floor."""
        floors, subjects = {}, {}
        for name, function in functions.items():
            floors[name] = floor = self._recorded(function, REQUESTS[name])
            subjects[f"ours: {name}"] = partial(self._answer, function, REQUESTS[name])
            subjects[f"peer: {name}"] = partial(self._answer, naive, REQUESTS[name])
            subjects[f"floor: {name}"] = partial(self._send, floor, REQUESTS[name])
        seen = in_turns(subjects, rounds)
        for name, floor in floors.items():
            ours = Figure.of(f"first answer of {name}", "ms", seen[f"ours: {name}"])
            yield Comparison(ours, Figure.of("naive peer, bytecode", "ms", seen[f"peer: {name}"]))
            what = f"its requests on open connections ({floor.recording.counts})"
            yield Comparison(ours, Figure.of(what, "ms", seen[f"floor: {name}"]))

    def _answer(self, function: Function, request: Request) -> float:
        far = replace(function, environment=dict(function.environment) | self._cloud.variables)
        return self._starts.first_answer(far, request, self._starts.name(request))

    def _recorded(self, function: Function, request: Request) -> Floor:
        """What the first answer takes, as it was sent once about a Job of its own."""
        name = self._starts.name(request)

        def ask(variables: Mapping[str, str]) -> None:
            far = replace(function, environment=dict(function.environment) | dict(variables))
            self._starts.first_answer(far, request, name)

        return Floor(name, self._cloud.recorded(ask))

    def _send(self, floor: Floor, request: Request) -> float:
        """Milliseconds of the same requests, by a new process that has connected before."""
        requests = floor.recording.named(floor.name, self._starts.name(request))
        variables = dict(os.environ) | self._cloud.variables | {"ORIGINS": " ".join(floor.recording.urls)}
        with Subject("open_connections:handle", [surroundings.PEERS / "direct"], variables) as subject:
            return subject.ask([requests], {200, 201}).wall[0]
