"""Write the template to the folder that is given, as packaged and as transformed by AWS's SAM translator."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from infra.packaging.template import TEMPLATE, template
from tests.package.packaged_template import transform


def main(folder: Path) -> None:
    """Write both files."""
    packaged = template("dev")
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in ((TEMPLATE, packaged), ("transformed.json", transform(packaged))):
        (folder / name).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
