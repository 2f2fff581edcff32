"""The documentation page in Chromium, with the whole local cloud."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.api import token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

    from infra.local.local_stack import Stack

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium without a display."""
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


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
        dialog.get_by_role("button", name="Apply").click()
        expect(dialog.get_by_role("button", name="Remove authorization")).to_be_visible()
        self.page.locator(".close-modal").click()

    def execute(self, operation: str) -> Locator:
        """Try out an operation with its default values, and return the table row of the response."""
        block = self.page.locator(f"#operations-{operation}")
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
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


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Visit]:
    """Open the page in a new browser context, without cookies and storage."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    visit = Visit(context.new_page())
    visit.page.goto(stack.docs_url)
    expect(visit.page.locator(".opblock").first).to_be_visible()
    yield visit
    context.close()


def origin(url: str) -> str:
    """Return the origin of *url*."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class TestPage:
    """The page without authorization."""

    def test_shows_the_document(self, visit: Visit) -> None:
        """The page has the title, the operations, and the cluster's name beside the server."""
        visit.screenshot_of("page")

        expect(visit.page.get_by_role("heading", name="Researcher REST API")).to_be_visible()
        expect(visit.page.locator("#operations-Jobs-submit_job")).to_be_visible()
        expect(visit.page.locator(".servers select")).to_contain_text("embedded")

    def test_loads_only_its_own_origin(self, visit: Visit, stack: Stack) -> None:
        """The page loads no script, style, font or image of another origin, without warnings of the browser."""
        assert visit.origins == {origin(stack.docs_url)}
        assert (visit.violations, visit.messages) == ([], [])

    def test_operations_conform_to_the_security_policy(self, visit: Visit) -> None:
        """Examples, schemas and parameters render without inline styles and scripts."""
        for control in visit.page.locator(".opblock-summary-control").all():
            control.click()
        expect(visit.page.locator(".opblock.is-open .responses-wrapper").last).to_be_visible()
        visit.screenshot_of("submit-job", "Jobs-submit_job")

        assert (visit.violations, visit.messages) == ([], [])


class TestAuthorize:
    """Authorize, then Try it out."""

    def test_with_client_id_and_secret(self, visit: Visit, stack: Stack) -> None:
        """The page requests a token from the issuer, lists the caller's Projects, and uses no other origin."""
        visit.authorize(
            "clientCredentials",
            {
                "client_id_clientCredentials": "alice",
                "client_secret_clientCredentials": stack.applications["alice"].secret,
            },
        )
        response = visit.execute("Projects-list_projects")
        expect(response.locator(".response-col_status")).to_have_text("200")
        visit.screenshot_of("projects", "Projects-list_projects")

        expect(response).to_contain_text('"team-a"')
        expect(response).to_contain_text("x-request-id")
        assert visit.origins == {origin(stack.docs_url), origin(stack.token_url)}
        assert (visit.violations, visit.messages) == ([], [])

    def test_with_a_token(self, visit: Visit, stack: Stack) -> None:
        """With a bearer token, the page needs no issuer."""
        visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})
        response = visit.execute("Projects-list_projects")

        expect(response.locator(".response-col_status")).to_have_text("200")
        assert visit.origins == {origin(stack.docs_url)}
        assert (visit.violations, visit.messages) == ([], [])

    def test_optional_parameters_are_empty(self, visit: Visit, stack: Stack) -> None:
        """The default values of an operation have no ETag of another Job: the response is 404, not 412."""
        visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})
        response = visit.execute("Jobs-delete_job")

        expect(response.locator(".response-col_status")).to_have_text("404")
        visit.screenshot_of("delete-job", "Jobs-delete_job")

    def test_token_is_not_stored(self, visit: Visit, stack: Stack) -> None:
        """After a reload the page is not authorized, and nothing is stored in the browser."""
        visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})
        visit.page.reload()

        expect(visit.page.locator(".auth-wrapper .btn.authorize.unlocked")).to_be_visible()
        assert visit.page.evaluate("localStorage.length + sessionStorage.length") == 0
