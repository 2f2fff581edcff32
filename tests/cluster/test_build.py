"""Building the binaries, with a Go that only pretends."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.assets import BINARIES, is_ready, missing_binaries
from tests.cluster.build import main

if TYPE_CHECKING:
    from pathlib import Path

# Writes what the real one would: commands into a folder, or one binary by its name.
GO = """#!/bin/sh
echo "$@" >> "$GO_CALLS"
test "$1" = env && { echo go1.26.1; exit; }
while test "$1" != -o; do shift; done
output=$2; shift 2
case $output in
  */) for package; do touch "$output${package##*/}"; done ;;
  *) test -z "$GO_FAILS" && touch "$output" ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the pretended Go, the only one on PATH, notes how it is called."""
    (tmp_path / "bin").mkdir()
    go = tmp_path / "bin" / "go"
    go.write_text(GO)
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("GO_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "cache" / "assets"))
    return tmp_path / "calls"


@pytest.mark.usefixtures("calls")
class TestBuild:
    """`python -m tests.cluster.build`."""

    def test_builds_what_is_missing_once(self, tmp_path: Path, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """All binaries are there, with their version, which clients compare; the second run has nothing to do."""
        main()
        before = calls.read_text()
        main()

        assert is_ready(tmp_path / "cache" / "assets")
        assert "version.gitVersion=v1." in before
        assert calls.read_text() == before
        assert "Built 0 MB in" in capsys.readouterr().out

    def test_a_failed_build_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Half a build is never taken for a whole one."""
        monkeypatch.setenv("GO_FAILS", "yes")

        with pytest.raises(subprocess.CalledProcessError):
            main()

        assert [path.name for path in (tmp_path / "cache").iterdir()] == [".assets.lock"]

    def test_somebody_elses_folder_is_left_alone(self, tmp_path: Path) -> None:
        """Binaries that we did not build are not deleted because one is missing."""
        theirs = tmp_path / "cache" / "assets" / BINARIES[0]
        theirs.parent.mkdir(parents=True)
        theirs.touch()

        with pytest.raises(SystemExit, match="lacks kube-apiserver"):
            main()

        assert missing_binaries(theirs.parent) == BINARIES[1:]
