"""What `make release` refuses, and what it writes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from chalicelib import __version__
from infra import release

if TYPE_CHECKING:
    from pathlib import Path

FILES: dict[Path | str, str] = {
    release.VERSION_FILE: '__version__ = "1.2.3"\n',
    release.CLIENT: '[project]\nversion = "1.2.3"\n',
    release.CHANGELOG: "# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- One.\n\n## [1.2.3] - 2026-01-01\n\n- Old.\n",
    release.ALLOWED_CHANGES: "# Allowed\n\n- GET /jobs removed\n",
    "README.md": '{"version": "1.2.3"}\n',
}


def git(root: Path, *arguments: str) -> None:
    """Run git in *root*, with an author."""
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", *arguments], cwd=root, check=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository at version 1.2.3."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


class TestRelease:
    """`python -m infra.release`."""

    def test_writes_the_version_everywhere(self, root: Path) -> None:
        """The section Unreleased gets the version and a date, a new one is empty, and no breaking change is allowed."""
        assert release.main(["1.3.0"], root, "1.2.3") == 0

        written = {name: (root / name).read_text() for name in FILES}
        assert '__version__ = "1.3.0"' in written[release.VERSION_FILE]
        assert 'version = "1.3.0"' in written[release.CLIENT]
        assert "## [Unreleased]\n\n## [1.3.0] - 20" in written[release.CHANGELOG]
        assert written[release.ALLOWED_CHANGES] == "# Allowed\n"
        assert written["README.md"] == '{"version": "1.3.0"}\n'

    @pytest.mark.parametrize(
        ("version", "change", "problem"),
        [
            ("1.3", {}, "'1.3' is not a version"),
            ("1.3.0-rc.1", {}, "is not a version"),
            ("1.2.3", {}, "not greater than the current version, 1.2.3"),
            ("1.2.10", {"CHANGELOG.md": "## [Unreleased]\n\n## [1.2.3]\n\n- Old.\n"}, "no entry under Unreleased"),
            ("1.10.0", {"new.py": ""}, "uncommitted changes"),
            ("9.0.0", {}, "v9.0.0 already exists"),
        ],
    )
    def test_refuses(
        self, root: Path, capsys: pytest.CaptureFixture[str], version: str, change: dict[str, str], problem: str
    ) -> None:
        """A refused release says why and writes nothing."""
        git(root, "tag", "v9.0.0")
        for name, text in change.items():
            (root / name).write_text(text)

        assert release.main([version], root, "1.2.3") == 1

        assert problem in capsys.readouterr().err
        assert (root / release.VERSION_FILE).read_text() == FILES[release.VERSION_FILE]


class TestVersion:
    """The version of this tree."""

    def test_is_where_a_release_replaces_it(self) -> None:
        """Otherwise a release would change nothing."""
        assert f'__version__ = "{__version__}"' in (release.ROOT / release.VERSION_FILE).read_text()
