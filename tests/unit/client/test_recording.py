"""The recorded responses of a release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.client.models import DOCUMENT
from infra.client.recording import main

if TYPE_CHECKING:
    from pathlib import Path


def test_records_what_the_client_reads(tmp_path: Path) -> None:
    """The file of the version has an example of each response, also of those that only the sign-in reads."""
    document = json.loads(DOCUMENT.read_text("utf-8"))

    main(tmp_path)

    (path,) = tmp_path.iterdir()
    recorded = json.loads(path.read_text("utf-8"))
    assert path.stem == document["info"]["version"]
    assert recorded["SignInDocument"]["data"][0]["deviceFlow"] is True
    assert {"JobView", "JobPage", "IndexPage", "Diagnosis", "EventPage", "Health", "ProjectDetail", "Problem"} <= set(
        recorded
    )
