"""The generated parts of docs/, and the tables there that people write and the code decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import pytest

from chalicelib.domain import names
from chalicelib.domain.errors import CATALOGUE
from chalicelib.domain.job.status import Status
from infra.packaging.template import template
from infra.reference import catalogue, document
from infra.reference.error_advice import ADVICE
from infra.reference.pages import DOCS, PARTS, SCHEMA, filled, main

if TYPE_CHECKING:
    from pathlib import Path

STALE = "before\n<!-- generated: refused-fields -->\nold\n<!-- /generated -->\nafter\n"


def page(path: str) -> str:
    """Return the text of a page of docs/."""
    return (DOCS / path).read_text(encoding="utf-8")


class TestMain:
    """`python -m infra.reference`."""

    def test_writes_what_is_between_the_marks(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """And nothing else; with --check it names the stale page and changes nothing."""
        (tmp_path / "fields.md").write_text(STALE)

        assert (main(["--check"], tmp_path), (tmp_path / "fields.md").read_text()) == (1, STALE)
        assert "docs/fields.md is stale" in capsys.readouterr().err
        assert (main([], tmp_path), main(["--check"], tmp_path)) == (0, 0)
        written = (tmp_path / "fields.md").read_text()
        assert re.fullmatch(r"before\n<!-- .* -->\n\n\| field .*\n\n<!-- /generated -->\nafter\n", written, re.DOTALL)

    def test_an_unknown_part_is_an_error(self) -> None:
        """A page with the marker of an unknown part is an error."""
        with pytest.raises(KeyError):
            filled(STALE.replace("refused-fields", "no-such-part"))

    def test_schema_is_a_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The JSON Schema of the configuration is checked and written as the pages are."""
        schema = tmp_path / SCHEMA
        schema.write_text("{}")

        assert (main(["--check"], tmp_path), SCHEMA in capsys.readouterr().err) == (1, True)
        assert (main([], tmp_path), schema.read_text()) == (0, page(f"reference/{SCHEMA}"))

    def test_every_part_is_on_a_page(self) -> None:
        """None is written for nothing."""
        pages = "".join(path.read_text("utf-8") for path in DOCS.rglob("*.md"))

        assert set(re.findall(r"^<!-- generated: ([a-z-]+) -->$", pages, re.MULTILINE)) == PARTS.keys()


class TestGenerated:
    """What the tables say."""

    def test_each_code_has_an_anchor_and_advice(self) -> None:
        """A problem's type may link to it; the operations that answer with it are named where they are few."""
        shown = catalogue.errors()

        assert ADVICE.keys() == CATALOGUE.keys()
        assert re.findall(r"^## (\w+)$", shown, re.MULTILINE) == re.findall(r"^\| \[`(\w+)`\]", shown, re.MULTILINE)
        assert "Returned by [`job_logs`](endpoints.md#job_logs).\n\n## page_token_expired" in shown

    def test_settings_have_defaults_and_effects(self) -> None:
        """From the docstrings of the fields."""
        assert "| `CLUSTER_NAME` | **required** | The name of the EKS cluster" in catalogue.settings()
        assert "| `DEADLINE_SECONDS` | `20.0` | The time limit of a request" in catalogue.settings()

    def test_fields_are_run_ais_or_ours(self) -> None:
        """Each is in one of the two tables, with its limits."""
        ours = set(re.findall(r"^\| `(\w+)`", document.fields(added=True), re.MULTILINE))

        assert ours == document.ADDED
        assert "| `gpu` | integer (at least 0, at most 64) | `0` | GPUs for each pod. |" in document.fields(added=False)


class TestWritten:
    """Tables that people write."""

    def test_runbook_has_every_alarm(self) -> None:
        """Of a function's alarms, the ending of their names."""
        resources = template("dev")["Resources"].items()
        alarms = [name for name, one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
        headings = re.findall(r"^### (\w+Alarm)$", page("operate/monitoring.md"), re.MULTILINE)

        assert [name for name in alarms if not name.endswith(tuple(headings))] == []
        assert [heading for heading in headings if not any(name.endswith(heading) for name in alarms)] == []

    def test_every_mark_is_listed(self) -> None:
        """Each label and annotation of our domain that the code has a name for."""
        marks = {mark for mark in vars(names).values() if isinstance(mark, str) and mark.startswith("researcher.dev/")}

        assert [mark for mark in sorted(marks) if f"`{mark}`" not in page("reference/labels.md")] == []

    def test_fields_of_a_job_and_statuses(self) -> None:
        """As the API answers them."""
        table = page("reference/responses.md").partition("## Examples")[0]
        cells = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
        statuses = re.findall(
            r"^\| `(\w+)` \|", page("reference/statuses.md").partition("`reason` is")[0], re.MULTILINE
        )

        assert set(re.findall(r"`(\w+)`", cells)) == document.schema("JobView")["properties"].keys()
        assert tuple(statuses) == get_args(Status)
