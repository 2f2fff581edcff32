"""`python -m infra.packaging.docs_assets`: write the documentation page and its assets to chalicelib/assets.

Swagger UI comes from the package flask-swagger-ui, whose Python code is not used. Each file name contains a hash of the
content, so that browsers can cache the file forever.
"""

from __future__ import annotations

import hashlib
import re
from html import escape
from importlib.metadata import files
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from chalicelib.domain.errors import CATALOGUE
from chalicelib.functions.docs import PAGE
from chalicelib.functions.docs_asset import ASSETS
from infra.reference.error_advice import ADVICE

DOCS_PAGE = Path(__file__).parents[1] / "docs"
SWAGGER_UI = "flask-swagger-ui"
FROM_SWAGGER_UI = ("swagger-ui.css", "swagger-ui-bundle.js")
OWN_FILES = ("page.css", "initializer.js")


def main() -> None:
    """Write the page and its assets to chalicelib."""
    write(ASSETS)


def write(folder: Path) -> None:
    """Write the page and its assets to *folder*, and delete all other files."""
    contents = build()
    folder.mkdir(exist_ok=True)
    # Moved into place when complete, because a function or another build may be reading.
    with TemporaryDirectory(dir=folder.parent) as temporary:
        for name, text in contents.items():
            part = Path(temporary, name)
            part.write_text(text, encoding="utf-8")
            part.replace(folder / name)
    for old in folder.iterdir():
        if old.name not in contents:
            old.unlink(missing_ok=True)


def build() -> dict[str, str]:
    """Return the content of the page and its assets by file name."""
    sources = {name: _read_swagger_ui(name) for name in FROM_SWAGGER_UI}
    sources |= {name: (DOCS_PAGE / name).read_text(encoding="utf-8") for name in OWN_FILES}
    page = (DOCS_PAGE / PAGE).read_text(encoding="utf-8")
    page = page.replace("{errors}", "\n".join(_entry(code) for code in sorted(CATALOGUE)))
    for name, text in sources.items():
        page = page.replace(f"{{{name}}}", hashed_name(name, text))
    return {PAGE: page} | {hashed_name(name, text): text for name, text in sources.items()}


def _entry(code: str) -> str:
    """Return the entry of an error, to which the `type` of a problem links."""
    error = CATALOGUE[code]
    meaning = _html((error.__doc__ or "").strip())
    return (
        f'        <dt id="{code}"><code>{code}</code> {error.status} {_html(error.title)}</dt>\n'
        f"        <dd>{meaning} <em>What to do:</em> {_html(ADVICE[code])}</dd>"
    )


def _html(markdown: str) -> str:
    """Return a line of Markdown as HTML, without its links, whose targets are pages of the other documentation."""
    text = escape(re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", markdown), quote=False)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def hashed_name(name: str, text: str) -> str:
    """Return *name* with a hash of *text* before its extension: page.css becomes page.1f3a5c7e9b2d4f60.css."""
    path = PurePosixPath(name)
    return f"{path.stem}.{hashlib.sha256(text.encode()).hexdigest()[:16]}{path.suffix}"


def _read_swagger_ui(name: str) -> str:
    """Return a built file of Swagger UI, without the line that refers to a source map."""
    source = next(path for path in files(SWAGGER_UI) or [] if path.parts[-2:] == ("dist", name))
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("//# sourceMappingURL", "/*# sourceMappingURL")))


if __name__ == "__main__":
    main()
