"""How large the bundle is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import artefacts
from tests.bench.figures import Comparison, Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result

REACH = 0.5


def measured(made: Artefacts, rounds: int) -> Iterator[Result]:
    """Ours against the naive peer's."""
    del rounds
    own, peer = artefacts.size(made.ours), artefacts.size(made.sources)
    for what, mine, other in (("zipped", own.zipped, peer.zipped), ("unzipped", own.unzipped, peer.unzipped)):
        ours = Figure.of(f"bundle, {what}", "MB", [mine / 10**6])
        yield Comparison(ours, Figure.of("naive peer", "MB", [other / 10**6]), REACH)
