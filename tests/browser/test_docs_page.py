"""The documentation page as a person uses it: in Chromium, against the whole local cloud."""

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

PICTURES = Path("build/browser")
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
    """Where Chromium is; a page that nobody looked at has not been tested."""
    found = shutil.which("chromium")
    return found or pytest.fail("Chromium is missing: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """One person's visit to the page, and what the browser did and complained about meanwhile."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.origins: set[str] = set()
        self.complaints: list[str] = []
        page.add_init_script(LISTEN_FOR_VIOLATIONS)
        page.on("request", self._note_request)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def violations(self) -> list[str]:
        """What the Content-Security-Policy refused."""
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def authorize(self, heading: str, fields: dict[str, str]) -> None:
        """Fills in the *fields*, by their ids, of one of the ways to authorize, and closes the dialog."""
        self.page.locator(".auth-wrapper .btn.authorize").click()
        way = self.page.locator(".auth-container").filter(has_text=heading)
        for field, text in fields.items():
            way.locator(f"#{field}").fill(text)
        way.get_by_role("button", name="Apply").click()
        expect(way.get_by_role("button", name="Remove authorization")).to_be_visible()
        self.page.locator(".close-modal").click()

    def execute(self, operation: str) -> Locator:
        """Tries an operation as it unfolds; the row with the server's answer."""
        block = self.page.locator(f"#operations-{operation}")
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
        block.get_by_role("button", name="Execute").click()
        return block.locator(".live-responses-table tr.response")

    def picture(self, name: str, operation: str | None = None) -> None:
        """Keeps a picture, of the whole page or of one *operation*, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        shown = self.page.locator(f"#operations-{operation}") if operation else self.page.locator("body")
        shown.screenshot(path=PICTURES / f"{name}.png")

    def _note_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme != "data":
            self.origins.add(f"{url.scheme}://{url.netloc}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Visit]:
    """A new visit: no cookie, no storage, the page just loaded."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    visit = Visit(context.new_page())
    visit.page.goto(stack.docs_url)
    expect(visit.page.locator(".opblock").first).to_be_visible()
    yield visit
    context.close()


def origin(url: str) -> str:
    """The origin of *url*."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class TestPage:
    """The page alone."""

    def test_it_shows_the_document_of_this_deployment(self, visit: Visit) -> None:
        """Title, every operation, and the cluster's name beside the server."""
        visit.picture("page")

        expect(visit.page.get_by_role("heading", name="Researcher REST API")).to_be_visible()
        expect(visit.page.locator("#operations-Jobs-submit_job")).to_be_visible()
        expect(visit.page.locator(".servers select")).to_contain_text("embedded")

    def test_it_loads_nothing_from_elsewhere(self, visit: Visit, stack: Stack) -> None:
        """No script, style, font or picture of another origin; no complaint of the browser."""
        assert visit.origins == {origin(stack.docs_url)}
        assert (visit.violations, visit.complaints) == ([], [])

    def test_every_operation_unfolds_under_the_strict_policy(self, visit: Visit) -> None:
        """Examples, schemas and parameters render without inline styles or scripts."""
        for control in visit.page.locator(".opblock-summary-control").all():
            control.click()
        expect(visit.page.locator(".opblock.is-open .responses-wrapper").last).to_be_visible()
        visit.picture("submit-job", "Jobs-submit_job")

        assert (visit.violations, visit.complaints) == ([], [])


class TestAuthorize:
    """Authorize, then Try it out."""

    def test_with_client_id_and_secret(self, visit: Visit, stack: Stack) -> None:
        """The page buys a token from the issuer, lists the caller's Projects, and talks to nobody else."""
        visit.authorize(
            "clientCredentials",
            {
                "client_id_clientCredentials": "alice",
                "client_secret_clientCredentials": stack.applications["alice"].secret,
            },
        )
        answer = visit.execute("Projects-list_projects")
        expect(answer.locator(".response-col_status")).to_have_text("200")
        visit.picture("projects", "Projects-list_projects")

        expect(answer).to_contain_text('"team-a"')
        expect(answer).to_contain_text("x-request-id")
        assert visit.origins == {origin(stack.docs_url), origin(stack.token_url)}
        assert (visit.violations, visit.complaints) == ([], [])

    def test_with_a_token(self, visit: Visit, stack: Stack) -> None:
        """Who has a token already needs no issuer."""
        visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})
        answer = visit.execute("Projects-list_projects")

        expect(answer.locator(".response-col_status")).to_have_text("200")
        assert visit.origins == {origin(stack.docs_url)}
        assert (visit.violations, visit.complaints) == ([], [])

    def test_only_what_is_required_is_filled_in(self, visit: Visit, stack: Stack) -> None:
        """Tried out as it unfolds, an operation sends no ETag of another Job: here, 404 and not 412."""
        visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})
        answer = visit.execute("Jobs-delete_job")

        expect(answer.locator(".response-col_status")).to_have_text("404")
        visit.picture("delete-job", "Jobs-delete_job")

    def test_a_token_is_forgotten(self, visit: Visit, stack: Stack) -> None:
        """After the page is loaded again nobody is authorized, and nothing was stored."""
        visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})
        visit.page.reload()

        expect(visit.page.locator(".auth-wrapper .btn.authorize.unlocked")).to_be_visible()
        assert visit.page.evaluate("localStorage.length + sessionStorage.length") == 0
