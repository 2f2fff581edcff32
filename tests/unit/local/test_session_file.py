"""The session file of `make run`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values

from infra.local import session_file
from infra.local.session_file import SessionFile
from tests.support.scripted_server import ScriptedServer, json_reply

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.local_stack import Stack
    from infra.localcluster.cluster import EmbeddedCluster


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the session files."""
    monkeypatch.setattr(session_file, "SESSION", tmp_path / ".local" / "session.env")
    return tmp_path / ".local"


def test_is_private_and_removed(folder: Path) -> None:
    """Only the owner may read the file, and nothing is left of it."""
    file = SessionFile.write({"BASE_URL": "http://127.0.0.1:1/api", "CLIENT_ID": "alice"})

    assert (folder / "session.env").read_text(
        "utf-8"
    ) == "export BASE_URL=http://127.0.0.1:1/api\nexport CLIENT_ID=alice\n"
    assert (folder / "session.env").stat().st_mode & 0o077 == 0
    file.remove()
    assert list(folder.iterdir()) == []


def test_values_need_no_quotes(stack: Stack[EmbeddedCluster]) -> None:
    """A shell and python-dotenv read the same values."""
    file = SessionFile.write(stack.session())

    assert all(re.fullmatch(r"export [A-Z_]+=[-_.:/A-Za-z0-9]+", line) for line in file.text.splitlines())
    assert dotenv_values(file.path) == stack.session()


def test_second_session_has_a_file_of_its_own(folder: Path) -> None:
    """While the API of the first session responds, its file is neither replaced nor removed by the second one."""
    with ScriptedServer() as api:
        api.on("/api/health", json_reply({}))
        first = SessionFile.write({"BASE_URL": f"{api.url}/api"})
        second = SessionFile.write({"BASE_URL": "http://127.0.0.1:8001/api"})

        assert (first.path, second.path) == (folder / "session.env", folder / "session-8001.env")
        second.remove()
        assert first.path.exists()


def test_file_of_a_killed_session_is_replaced(folder: Path) -> None:
    """Its API does not respond; and the killed session does not remove the file of the next one."""
    killed = SessionFile.write({"BASE_URL": "http://127.0.0.1:1/api"})
    file = SessionFile.write({"BASE_URL": "http://127.0.0.1:8001/api"})
    killed.remove()

    assert file.path == folder / "session.env"
    assert file.path.read_text("utf-8") == file.text


@pytest.mark.parametrize(
    "text", ["", "export BASE_URL=https://example.com/api\n", "export BASE_URL=file:///etc/passwd\n"]
)
def test_other_urls_are_not_requested(folder: Path, text: str) -> None:
    """Only a loopback URL in the file is requested."""
    folder.mkdir()
    (folder / "session.env").write_text(text, encoding="utf-8")

    assert SessionFile.write({"BASE_URL": "http://127.0.0.1:8001/api"}).path == folder / "session.env"
