"""`python -m infra.commands.cleanup`, the command of `make cleanup`."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from infra.commands.cleanup import main, report_lines
from infra.local.aws import LocalAws
from infra.local.lambda_invoke import Functions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPORT = {
    "dryRun": False, "scanned": 9, "eligible": 3, "deleted": 1, "failed": 1, "pending": 1, "truncated": True,
    "seconds": 1.25, "skipped": {"young": 6, "changed": 1},
    "failures": [
        {"project": "team-a", "name": "train-2", "code": "forbidden"},
        {"project": "team-b", "name": None, "code": "forbidden"},
    ],
    "pendingJobs": [
        {"project": "team-a", "name": "train-3", "seconds": 90000, "reason": "Unschedulable"},
        {"project": "team-a", "name": "train-4", "seconds": 90000, "reason": None},
    ],
    "jobs": [{"project": "team-a", "name": "train-1"}],
}  # fmt: skip
DOCUMENTS: list[object] = []


def cleanup(document: Any, _context: object) -> object:  # noqa: ANN401 - JSON
    """Return the report, or fail if the document requests deletions."""
    DOCUMENTS.append(document)
    if document == {"dryRun": False}:
        raise RuntimeError("not here")
    return REPORT | document


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Write the session file of a `make run` with that cleanup function."""
    with LocalAws(Functions({"cleanup": cleanup})) as aws:
        variables = {
            "BASE_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL": aws.connection["endpoint_url"],
            "AWS_DEFAULT_REGION": aws.connection["region_name"], "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }  # fmt: skip
        path = tmp_path_factory.mktemp("session") / "session.env"
        path.write_text("".join(f"export {name}={value}\n" for name, value in variables.items()))
        yield path


PROBES = [getattr(socket, name) for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL") if hasattr(socket, name)]


class RecordingSocket(socket.socket):
    """A socket that records its options."""

    options: ClassVar[dict[tuple[int, int], Any]] = {}

    def setsockopt(self, level: int, name: int, value: Any) -> None:  # type: ignore[override] # noqa: ANN401 - as socket
        """Record and set an option."""
        self.options[level, name] = value
        super().setsockopt(level, name, value)


class TestCommand:
    """The command."""

    @pytest.mark.parametrize(("arguments", "document"), [([], {}), (["--dry-run"], {"dryRun": True})])
    def test_runs_the_cleanup_of_the_session(
        self, session: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], document: object
    ) -> None:
        """Without options, the settings of `make run` decide."""
        status = main(arguments, session)

        assert (status, DOCUMENTS[-1]) == (0, document)
        assert "team-a/train-1" in capsys.readouterr().out

    def test_connection_is_kept_alive(self, session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A NAT gateway would close it after 350 seconds without a packet; a run takes up to 900."""
        monkeypatch.setattr(socket, "socket", RecordingSocket)

        assert main([], session) == 0

        assert RecordingSocket.options[socket.SOL_SOCKET, socket.SO_KEEPALIVE] == 1
        probes = [RecordingSocket.options[socket.IPPROTO_TCP, name] for name in PROBES]
        assert probes
        assert max(probes) < 350

    def test_error_of_the_function_is_printed(self, session: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """If the function fails, its error is printed without a stack trace."""
        assert main(["--delete"], session) == 1
        assert "The cleanup failed: not here" in capsys.readouterr().err

    def test_missing_session_is_reported(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a session and without an AWS configuration, the message names `make run`."""
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

        assert main([], tmp_path / "session.env") == 1
        assert "make run" in capsys.readouterr().err


class TestReport:
    """The printed report."""

    def test_report_lines(self) -> None:
        """Each entry has its own line, and a dry run is marked."""
        summary, *lines = report_lines(REPORT | {"dryRun": True, "truncated": False})
        assert (summary[:9], "  would delete team-a/train-1" in lines) == ("DRY RUN: ", True)
        assert list(report_lines(REPORT)) == [
            "9 Jobs checked in 1.2 s, 3 past their retention, 1 deleted, 1 failed.",
            "The run was stopped at its time limit; the next run continues.",
            "       1 skipped: changed",
            "       6 skipped: young",
            "  deleted team-a/train-1",
            "  failed team-a/train-2: forbidden",
            "  failed team-b/*: forbidden",
            "  pending for 90000 s: team-a/train-3 (Unschedulable)",
            "  pending for 90000 s: team-a/train-4 (unknown reason)",
        ]
