"""Record the responses of a release, which later clients must decode: `python -m infra.client.recording`.

`make release` runs it. The file has the examples of the OpenAPI document by schema, each of which the contract tests
compare with its schema.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra.client.models import DOCUMENT, ROOT, SKIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RECORDED = ROOT / "client/tests/recorded"


def main(folder: Path = RECORDED) -> None:
    """Write the file of this version."""
    document = json.loads(DOCUMENT.read_text("utf-8"))
    found = dict(responses(document))
    text = json.dumps({name: found[name] for name in sorted(found)}, indent=1, ensure_ascii=False)
    (folder / f"{document['info']['version']}.json").write_text(text + "\n", "utf-8")


def responses(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the schema and an example of each response of the API that is a JSON object, and of each error."""
    contents = (
        content
        for operations in document["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for content in resolve(document, response).get("content", {}).values()
    )
    for content in contents:
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        listed = (each["value"] for each in content.get("examples", {}).values())
        example = content.get("example") or next(listed, None)
        if name and name not in SKIPPED and example:
            yield name, example


def resolve(document: Mapping[str, Any], response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a response, also if it is a reference to one of the components."""
    name = str(response.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["responses"][name] if name else response
    return found


if __name__ == "__main__":
    main()
