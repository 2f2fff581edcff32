"""How answers are written: tables for people; JSON, YAML and names for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from researcher.times import age, duration, local_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from researcher.models import JobView

STATUS_COLOURS = {"Succeeded": "green", "Failed": "red", "Running": "blue", "Pending": "yellow", "Queued": "yellow"}
JOB_COLUMNS = ("NAME", "STATUS", "GPUS", "AGE", "DURATION", "REASON")
WIDE_COLUMNS = ("NAME", "STATUS", "GPUS", "AGE", "DURATION", "USER", "NODES", "IMAGE", "REASON")


def write_document(document: Any, output: str) -> None:  # noqa: ANN401 - JSON
    """Write JSON or YAML."""
    if output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def write_jobs(jobs: Sequence[JobView], output: str, *, single: bool = False) -> None:
    """Write Jobs in a format."""
    if output == "name":
        for job in jobs:
            click.echo(job.name)
    elif output in {"json", "yaml"}:
        documents = [job.document for job in jobs]
        write_document(documents[0] if single else documents, output)
    else:
        columns = WIDE_COLUMNS if output == "wide" else JOB_COLUMNS
        click.echo(table([columns, *([job_cells(job)[name] for name in columns] for job in jobs)]))


def job_cells(job: JobView) -> dict[str, str]:
    """Return the cells of a Job, by the head of the column."""
    return {
        "NAME": job.name,
        "STATUS": click.style(job.status, fg=STATUS_COLOURS.get(job.status)),
        "GPUS": str(job.requested_gpus),
        "AGE": age(job.created_at),
        "DURATION": duration(job) or "-",
        "USER": plain(job.user),
        "NODES": ",".join(job.nodes) or "-",
        "IMAGE": job.images,
        "REASON": plain(job.reason or "") or "-",
    }


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return aligned columns; the last one is not padded."""
    cells = [list(row) for row in rows]
    widths = [max(len(click.unstyle(row[column])) for row in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )


def plain(text: str) -> str:
    """Return text of the cluster without control characters, which could change the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def write_fields(pairs: Iterable[tuple[str, str]]) -> None:
    """Write names and values of one object; empty values are left out."""
    shown = [(f"{name}:", value) for name, value in pairs if value]
    click.echo(table(shown) if shown else "")


def describe_job(job: JobView) -> None:
    """Write one Job in full."""
    pods = job.pods
    write_fields(
        [
            ("Name", job.name),
            ("Project", job.project),
            ("Status", job_cells(job)["STATUS"]),
            ("Reason", plain(" ".join(filter(None, (job.reason, job.message))))),
            ("Exit code", "" if job.exit_code is None else str(job.exit_code)),
            ("Type", job.type),
            ("User", plain(job.user)),
            ("Image", job.images),
            ("GPUs", f"{job.requested_gpus} requested, {job.current_allocated_gpus} allocated"),
            ("Nodes", ", ".join(job.nodes)),
            ("Pods", f"{pods.active} active, {pods.ready} ready, {pods.succeeded} succeeded, {pods.failed} failed"),
            ("Succeeded indexes", job.completed_indexes or ""),
            ("Failed indexes", job.failed_indexes or ""),
            ("Created", local_time(job.created_at)),
            ("Started", local_time(job.started_at)),
            ("Finished", local_time(job.finished_at)),
            ("Duration", duration(job)),
            ("Kept", "yes" if job.keep else ""),
            ("Labels", ", ".join(f"{name}={value}" for name, value in job.labels.items())),
            ("UID", job.id),
        ]
    )
