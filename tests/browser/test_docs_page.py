"""The documentation page in Chromium, with the whole local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.visit import Visit, origin
from tests.support.api import token

if TYPE_CHECKING:
    from infra.local.local_stack import Stack


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
