"""A visit to the documentation page, with what the browser reports."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page, Request

SCREENSHOTS = Path("build/browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
LISTEN_FOR_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


def chromium() -> str:
    """Return the path of Chromium; fail if it is missing."""
    found = shutil.which("chromium")
    return found or pytest.fail("Chromium is missing: apt-get install chromium")


class Visit:
    """A visit to the page, with the browser's requests, errors and warnings."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.origins: set[str] = set()
        self.messages: list[str] = []
        page.add_init_script(LISTEN_FOR_VIOLATIONS)
        page.on("request", self._note_request)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.messages.append(str(error)))

    @property
    def violations(self) -> list[str]:
        """The violations of the Content-Security-Policy."""
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def authorize(self, heading: str, fields: dict[str, str]) -> None:
        """Fill in the *fields* of one authorization method by their ids, and close the dialog."""
        self.page.locator(".auth-wrapper .btn.authorize").click()
        dialog = self.page.locator(".auth-container").filter(has_text=heading)
        for field, text in fields.items():
            dialog.locator(f"#{field}").fill(text)
        dialog.get_by_role("button", name="Authorize").click()
        expect(dialog.get_by_role("button", name="Remove authorization")).to_be_visible()
        self.page.locator(".close-modal").click()

    def execute(self, operation: str, example: str | None = None) -> Locator:
        """Try out an operation with its default values or an *example*, and return the table row of the response."""
        block = self.page.locator(f"#operations-{operation}")
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
        if example:
            block.get_by_label("Example", exact=True).first.select_option(label=example)
        block.get_by_role("button", name="Execute").click()
        return block.locator(".live-responses-table tr.response")

    def screenshot_of(self, name: str, operation: str | None = None) -> None:
        """Save a screenshot of the whole page or of one *operation*."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        element = self.page.locator(f"#operations-{operation}") if operation else self.page.locator("body")
        element.screenshot(path=SCREENSHOTS / f"{name}.png")

    def _note_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme != "data":
            self.origins.add(f"{url.scheme}://{url.netloc}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.messages.append(message.text)


def origin(url: str) -> str:
    """Return the origin of *url*."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
