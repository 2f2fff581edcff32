"""A Job as it was last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from researcher.models import JobView

FAILED = "Failed"


class SeenJob:
    """The attributes of a Job, from its latest view."""

    def __init__(self, view: JobView) -> None:
        self.view = view

    def __repr__(self) -> str:
        """Show the name and the status."""
        return f"<Job {self.project}/{self.name}: {self.status}>"

    @property
    def name(self) -> str:
        """The name, unique in the Project."""
        return self.view.name

    @property
    def project(self) -> str:
        """The Project."""
        return self.view.project

    @property
    def status(self) -> str:
        """The status."""
        return self.view.status

    @property
    def reason(self) -> str | None:
        """Why it is in this status, in one word."""
        return self.view.reason

    @property
    def message(self) -> str | None:
        """The details of the reason."""
        return self.view.message

    @property
    def finished(self) -> bool:
        """Whether it has succeeded or failed."""
        return self.view.finished_at is not None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the container that decided the outcome; None if it is not known, or there is none yet."""
        succeeded = self.finished and self.status != FAILED
        return 0 if succeeded and self.view.exit_code is None else self.view.exit_code

    def _repr_html_(self) -> str:
        """Return a small card for notebooks."""
        from researcher.card import card  # noqa: PLC0415 - only notebooks need it

        return card(self.view)
