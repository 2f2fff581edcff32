"""`python -m infra.packaging.docs_assets`: fills chalicelib/assets with the documentation page and what it loads.

Swagger UI comes from the package flask-swagger-ui, of which nothing is imported. Each file's name holds a hash of its
content, so that browsers may keep it for ever.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import files
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from chalicelib.functions.docs import PAGE
from chalicelib.functions.docs_asset import ASSETS

DOCS_PAGE = Path(__file__).parents[1] / "docs"
SWAGGER_UI = "flask-swagger-ui"
FROM_SWAGGER_UI = ("swagger-ui.css", "swagger-ui-bundle.js")
OWN_FILES = ("page.css", "initializer.js")


def main() -> None:
    """Writes the files again, and leaves no older ones beside them."""
    write(ASSETS)


def write(folder: Path) -> None:
    """Makes *folder* hold the page and its assets, and nothing else."""
    wanted = build()
    folder.mkdir(exist_ok=True)
    # Moved into place whole: a function, or another build, may be reading.
    with TemporaryDirectory(dir=folder.parent) as unfinished:
        for name, text in wanted.items():
            part = Path(unfinished, name)
            part.write_text(text, encoding="utf-8")
            part.replace(folder / name)
    for old in folder.iterdir():
        if old.name not in wanted:
            old.unlink(missing_ok=True)


def build() -> dict[str, str]:
    """The page and its assets: text by file name."""
    sources = {name: _of_swagger_ui(name) for name in FROM_SWAGGER_UI}
    sources |= {name: (DOCS_PAGE / name).read_text(encoding="utf-8") for name in OWN_FILES}
    page = (DOCS_PAGE / PAGE).read_text(encoding="utf-8")
    for name, text in sources.items():
        page = page.replace(f"{{{name}}}", hashed_name(name, text))
    return {PAGE: page} | {hashed_name(name, text): text for name, text in sources.items()}


def hashed_name(name: str, text: str) -> str:
    """*name* with a hash of *text* before its extension: page.css becomes page.1f3a5c7e9b2d4f60.css."""
    path = PurePosixPath(name)
    return f"{path.stem}.{hashlib.sha256(text.encode()).hexdigest()[:16]}{path.suffix}"


def _of_swagger_ui(name: str) -> str:
    """One of Swagger UI's built files, without the line that names a source map, which is not shipped."""
    found = next(path for path in files(SWAGGER_UI) or [] if path.parts[-2:] == ("dist", name))
    lines = found.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("//# sourceMappingURL", "/*# sourceMappingURL")))


if __name__ == "__main__":
    main()
