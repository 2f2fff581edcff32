"""The card of a Job in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from researcher.times import duration, local_time

if TYPE_CHECKING:
    from researcher.models import JobView

COLOURS = {"Succeeded": "#2e7d32", "Failed": "#c62828", "Running": "#1565c0"}


def card(view: JobView) -> str:
    """Return the HTML of the card; all text of the API is escaped."""
    colour = COLOURS.get(view.status, "#616161")
    rows = [
        ("Project", view.project),
        ("Image", view.images),
        ("GPUs", str(view.requested_gpus)),
        ("Created", local_time(view.created_at)),
        ("Duration", duration(view)),
        ("Reason", " ".join(filter(None, (view.reason, view.message)))),
    ]
    cells = "".join(
        f'<div style="opacity:.7">{escape(name)}</div><div>{escape(value)}</div>' for name, value in rows if value
    )
    return (
        f'<div style="border:1px solid #8884;border-left:4px solid {colour};border-radius:4px;padding:8px 12px;'
        f'max-width:40em;font-family:sans-serif"><b>{escape(view.name)}</b> '
        f'<span style="color:{colour}">{escape(view.status)}</span>'
        f'<div style="display:grid;grid-template-columns:6em 1fr;margin-top:4px">{cells}</div></div>'
    )
