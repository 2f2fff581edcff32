"""`python -m infra.reference [--check]`: writes the generated parts of docs/, or only compares them.

A page names the part that it wants between two marks, `<!-- generated: errors -->` and `<!-- /generated -->`.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from infra.reference import catalogue, configuration, document, records
from infra.reference.parameters import parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOCS = Path(__file__).parents[2] / "docs"
PARTS: dict[str, Callable[[], str]] = {
    "added-fields": partial(document.fields, added=True),
    "causes": catalogue.causes,
    "configuration": configuration.fields,
    "reasons": catalogue.reasons,
    "decisions": partial(records.index, DOCS / "decisions"),
    "endpoints": document.endpoints,
    "errors": catalogue.errors,
    "failure-reasons": catalogue.failure_reasons,
    "fields": partial(document.fields, added=False),
    "outcomes": catalogue.outcomes,
    "parameters": parameters,
    "receipt": document.receipt,
    "refused-fields": catalogue.refused_fields,
    "reserved-keys": catalogue.reserved_keys,
    "responses": document.examples,
    "settings": catalogue.settings,
}
SCHEMA = "configuration.schema.json"
"""The JSON Schema of the configuration of a stage, which is generated as a whole."""
_PLACE = re.compile(r"(?<=<!-- generated: )([a-z-]+)( -->\n).*?(?=<!-- /generated -->)", re.DOTALL)


def main(arguments: Sequence[str] | None = None, docs: Path = DOCS) -> int:
    """Write the parts; with `--check` change nothing, and return 1 when a page is stale."""
    parser = argparse.ArgumentParser(prog="python -m infra.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args(arguments).check
    stale = 0
    for page in sorted([*docs.rglob("*.md"), *docs.rglob(SCHEMA)]):
        text = page.read_text(encoding="utf-8")
        wanted = configuration.schema() if page.name == SCHEMA else filled(text)
        if wanted != text and check:
            sys.stderr.write(f"docs/{page.relative_to(docs)} is stale. Write it again: make reference\n")
            stale = 1
        elif wanted != text:
            page.write_text(wanted, encoding="utf-8")
    return stale


def filled(text: str) -> str:
    """Return *text* with each of its generated parts as the code is now; KeyError for a part that is unknown."""
    return _PLACE.sub(lambda match: f"{match[1]}{match[2]}\n{PARTS[match[1]]().strip()}\n\n", text)
