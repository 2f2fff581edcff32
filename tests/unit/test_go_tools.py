"""The Go tools of the gate, with a Go that only pretends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.go_tools.__main__ import built_tool

if TYPE_CHECKING:
    from pathlib import Path

GO = """#!/bin/sh
test "$1" = env && { echo go1.26.1; exit; }
echo "$PWD" >> "$GO_CALLS"
while test "$1" != -o; do shift; done
touch "$2"
"""


@pytest.mark.parametrize("name", ["oasdiff", "actionlint"])
def test_a_tool_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The second run takes it from the cache, which is named by what is locked."""
    (tmp_path / "go").write_text(GO)
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("GO_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    assert built_tool(name) == built_tool(name)

    assert (tmp_path / "calls").read_text().splitlines()[0].endswith(f"tests/go_tools/{name}")
    assert len((tmp_path / "calls").read_text().splitlines()) == 1
