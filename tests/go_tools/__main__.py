"""Run a tool, and build it first unless the cache has it: `python -m tests.go_tools actionlint --version`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from tests.support.go_toolchain import GO_ENVIRONMENT, cache_folder, go_command


def main() -> None:
    """Replace this process by the tool, with the rest of the arguments."""
    name, *arguments = sys.argv[1:]
    binary = built_tool(name)
    os.execv(binary, [name, *arguments])  # noqa: S606 - no shell is wanted


def built_tool(name: str) -> Path:
    """Return the binary of the tool in the folder *name*, from the cache where its go.sum is unchanged."""
    module = Path(__file__).with_name(name)
    digest = sha256((module / "go.sum").read_bytes()).hexdigest()[:12]
    binary = cache_folder(os.environ) / "tools" / f"{name}-{digest}"
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=binary.parent) as scratch:
            _build(module, Path(scratch)).replace(binary)
    return binary


def _build(module: Path, scratch: Path) -> Path:
    output = scratch / module.name
    command = [go_command(scratch), "build", "-trimpath", "-ldflags", "-s -w", "-o", str(output), "tool"]
    subprocess.run(command, cwd=module, env=os.environ | GO_ENVIRONMENT, check=True)
    return output


if __name__ == "__main__":
    main()
