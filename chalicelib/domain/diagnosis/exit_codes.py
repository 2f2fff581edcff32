"""Remedies for the exit codes that have a usual cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.domain.job.status_reason import StatusReason

EXIT_CODE_REMEDIES = {
    126: "Correct command: the file exists in the image, but it cannot be executed.",
    127: "Correct command or image: the image has no such program.",
    134: "Read the log: the program aborted itself (SIGABRT), often after a failed assertion.",
    135: "Submit the Job again with largeShm: a bus error (SIGBUS) often means that shared memory is full.",
    137: "Check the memory usage of the program: it was killed (SIGKILL), although not by its own memory limit.",
    139: "Read the log: the program crashed with a segmentation fault (SIGSEGV).",
    143: "Read the log and the Job's events: the program was terminated from outside (SIGTERM).",
}
"""Exit codes above 128 are 128 plus a signal."""


def exit_code_remedy(why: StatusReason) -> str:
    """Return the remedy for the exit code in the message of *why*, or an empty string."""
    code = why.message.rpartition("exit code ")[2].rstrip(".")
    return EXIT_CODE_REMEDIES.get(int(code), "") if code.isascii() and code.isdigit() else ""
