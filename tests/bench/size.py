"""The size of the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import artefacts
from tests.bench.figures import Comparison, Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result

GOAL = 0.5


def measure(built: Artefacts, rounds: int) -> Iterator[Result]:
    """Compare the product's bundle with the naive peer."""
    del rounds
    product, peer = artefacts.size(built.ours), artefacts.size(built.sources)
    for what, own, other in (
        ("zipped", product.zipped, peer.zipped),
        ("unzipped", product.unzipped, peer.unzipped),
    ):
        ours = Figure.of(f"bundle, {what}", "MB", [own / 10**6])
        yield Comparison(ours, Figure.of("naive peer", "MB", [other / 10**6]), GOAL)
