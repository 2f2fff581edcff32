"""Run code in a process that has only the contents of the zip."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def run_in_bundle(unzipped: Path, code: str, **environment: str) -> str:
    """Return the output of *code*, run with the unzipped bundle only: no site-packages, no checkout."""
    start = f"import sys; sys.path.insert(0, {str(unzipped)!r})\n"
    command = [sys.executable, "-I", "-S", "-c", start + code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=unzipped, env=environment).stdout
