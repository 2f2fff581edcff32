"""Building the binaries, with a fake Go."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.assets import BINARIES, is_ready, missing_binaries
from tests.cluster.build import main

if TYPE_CHECKING:
    from pathlib import Path

BUILT = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "etcd")

# Writes the same file as the real one.
GO = """#!/bin/sh
echo "$@" >> "$GO_CALLS"
test "$1" = env && { echo go1.26.1; exit; }
while test "$1" != -o; do shift; done
output=$2; shift 2
case $output in
  */etcd) test -z "$GO_FAILS" && touch "$output" ;;
  *) touch "$output" ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the fake Go on PATH, and return the file in which it records its calls."""
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

    def test_builds_once(self, tmp_path: Path, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The first run builds all binaries with their version, and says which; the second run builds nothing."""
        main()
        calls_before = calls.read_text()
        main()

        assert is_ready(tmp_path / "cache" / "assets")
        assert "version.gitVersion=v1." in calls_before
        assert calls.read_text() == calls_before
        printed = capsys.readouterr().out
        assert "Built 0 MB in" in printed
        assert [f"{number} of 5: {name}" for number, name in enumerate(BUILT, 1)] == re.findall(r".* of 5: .*", printed)

    def test_a_failed_build_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A failed build leaves no folder."""
        monkeypatch.setenv("GO_FAILS", "yes")

        with pytest.raises(subprocess.CalledProcessError):
            main()

        assert [path.name for path in (tmp_path / "cache").iterdir()] == [".assets.lock"]

    def test_foreign_folder_is_not_replaced(self, tmp_path: Path) -> None:
        """A folder with binaries of another origin is not replaced if one is missing."""
        foreign = tmp_path / "cache" / "assets" / BINARIES[0]
        foreign.parent.mkdir(parents=True)
        foreign.touch()

        with pytest.raises(SystemExit, match="lacks kube-apiserver"):
            main()

        assert missing_binaries(foreign.parent) == BINARIES[1:]
