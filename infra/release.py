"""Write the next version into the working tree: `python -m infra.release 0.2.0`.

1. Refuse an uncommitted change, a version that is not greater, a tag that exists, and an empty section Unreleased.
2. Write the version into chalicelib/__init__.py, client/pyproject.toml and the responses that the documentation shows.
3. Date the section in CHANGELOG.md, and begin a new one.
4. Empty the list of intended breaking changes: the next check compares with this release.

`make release` then writes the OpenAPI document, checks and packages the result, commits it and tags the commit.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
VERSION_FILE = Path("chalicelib/__init__.py")
CLIENT = Path("client/pyproject.toml")
CHANGELOG = Path("CHANGELOG.md")
ALLOWED_CHANGES = Path("tests/api_compatibility/allowed.md")
UNRELEASED = "## [Unreleased]\n"
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SECTION = re.compile(re.escape(UNRELEASED) + r"(.*?)(?=^## \[|\Z)", re.DOTALL | re.MULTILINE)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT, current: str = __version__) -> int:
    """Write the release, or print why it is refused and return 1."""
    parser = argparse.ArgumentParser(prog="python -m infra.release", description=__doc__)
    parser.add_argument("version", help="x.y.z, greater than the current version")
    version = parser.parse_args(arguments).version
    problems = list(refusals(root, version, current))
    if not problems:
        write_release(root, version, current)
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


def refusals(root: Path, version: str, current: str) -> Iterator[str]:
    """Yield each reason not to release *version* from the working tree at *root*."""
    if not _VERSION.fullmatch(version):
        yield f"'{version}' is not a version: use three numbers, such as 0.2.0."
    elif _numbers(version) <= _numbers(current):
        yield f"{version} is not greater than the current version, {current}."
    if _git(root, "status", "--porcelain"):
        yield "The working tree has uncommitted changes: commit or stash them."
    if _git(root, "tag", "--list", f"v{version}"):
        yield f"The tag v{version} already exists."
    section = _SECTION.search((root / CHANGELOG).read_text("utf-8"))
    if not section or not section[1].strip():
        yield "CHANGELOG.md has no entry under Unreleased: describe what changed for users."


def write_release(root: Path, version: str, current: str) -> None:
    """Write the version, the CHANGELOG and the empty list of breaking changes."""
    _replace(root / VERSION_FILE, f'__version__ = "{current}"', f'__version__ = "{version}"')
    _replace(root / CLIENT, f'version = "{current}"', f'version = "{version}"')
    today = datetime.now(UTC).date().isoformat()
    _replace(root / CHANGELOG, UNRELEASED, f"{UNRELEASED}\n## [{version}] - {today}\n")
    for page in _git(root, "ls-files", "README.md", "docs/*.md").splitlines():
        _replace(root / page, f'"version": "{current}"', f'"version": "{version}"')
    allowed = root / ALLOWED_CHANGES
    kept = [line for line in allowed.read_text("utf-8").splitlines(keepends=True) if not line.startswith("- ")]
    allowed.write_text("".join(kept).rstrip() + "\n", "utf-8")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def _git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
