"""A hook of MkDocs: pages with diagrams load Mermaid from the site itself, where Material would load it from a CDN.

`make docs` installs Mermaid with npm beside MkDocs, at the version and hash of package-lock.json.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

MERMAID = Path(sys.prefix, "node_modules", "mermaid", "dist", "mermaid.min.js")
ASSET = "assets/mermaid.min.js"


def on_post_page(output: str, page: Any, **_: object) -> str:  # noqa: ANN401 - MkDocs is not installed here
    """Add the script to a page that has a diagram, before the theme's own, which then fetches nothing."""
    if 'class="mermaid"' not in output:
        return output
    to_root = "../" * page.url.count("/")
    return output.replace("</head>", f'<script src="{to_root}{ASSET}"></script></head>', 1)


def on_post_build(config: Any, **_: object) -> None:  # noqa: ANN401 - as above
    """Copy Mermaid into the built site."""
    shutil.copyfile(MERMAID, Path(config["site_dir"]) / ASSET)
