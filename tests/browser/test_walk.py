"""The documentation page from top to bottom, by clicks alone, on a desktop and on a phone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from infra.local.local_stack import Stack
from infra.localcluster.cluster import EmbeddedCluster
from infra.packaging import docs_assets
from tests.browser.visit import Visit
from tests.support.api import token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ViewportSize

SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1200, "height": 900}, "phone": {"width": 390, "height": 844}}
CONFLICTS = {"Jobs-retry_job"}
"""Operations that need a finished Job, and respond with 409 in the walk."""
EXAMPLES = ["A single Job", "An array of 8", "Multi-node", "With a volume"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack[EmbeddedCluster]]:
    """Start the local cloud with Jobs that run for longer than the walk."""
    docs_assets.main()
    with Stack(partial(EmbeddedCluster, run_seconds=600)) as stack:
        yield stack


@pytest.fixture(params=SIZES)
def sized(browser: Browser, stack: Stack[Any], request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open the page, with a token, in a window of each size."""
    context = browser.new_context(viewport=SIZES[request.param], color_scheme="dark")
    visit = Visit(context.new_page())
    visit.page.goto(f"{stack.docs_url}/")
    expect(visit.page.locator(".opblock").first).to_be_visible()
    visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})
    yield visit
    context.close()


class TestWalk:
    """All operations in the order of the page."""

    def test_each_operation_works_after_the_ones_before(self, sized: Visit) -> None:
        """Try it out and Execute, with the examples as they are, succeed from the first operation to the last."""
        blocks = [str(block.get_attribute("id")) for block in sized.page.locator(".opblock").all()]
        found = {}
        for block in blocks:
            name = block.removeprefix("operations-")
            status = sized.execute(name).locator(".response-col_status")
            expect(status).not_to_be_empty()
            found[name] = status.inner_text()[:3]
            sized.page.locator(f"#{block} .opblock-summary-control").click()  # with all open, the page is slow
        expected = {name: ("409",) if name in CONFLICTS else ("200", "201", "202") for name in found}

        assert len(found) > len(SIZES)
        assert {name: status for name, status in found.items() if status not in expected[name]} == {}
        assert sized.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert (sized.violations, sized.messages[len(CONFLICTS) :]) == ([], [])

    @pytest.mark.parametrize("example", EXAMPLES)
    def test_each_example_can_be_submitted(self, visit: Visit, stack: Stack[Any], example: str) -> None:
        """The menu of examples has a single Job, an array, a multi-node Job and a Job with a volume."""
        visit.authorize("bearer", {"auth-bearer-value": token(stack, "alice")})

        response = visit.execute("Jobs-submit_job", example)

        expect(response.locator(".response-col_status")).to_have_text("201")


class TestAccessibility:
    """The page for the keyboard, for screen readers, and in the dark."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing_serious(self, visit: Visit, scheme: str) -> None:
        """axe-core has no critical and no serious finding, with an operation and with the dialog open."""
        visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of two literals
        visit.page.locator("#operations-Jobs-submit_job .opblock-summary-control").click()
        expect(visit.page.locator("#operations-Jobs-submit_job .responses-wrapper")).to_be_visible()
        found = _serious(visit)
        visit.page.locator(".auth-wrapper .btn.authorize").click()
        expect(visit.page.locator(".dialog-ux")).to_be_visible()

        assert found + _serious(visit) == []

    def test_dialog_focuses_the_client_id(self, visit: Visit) -> None:
        """The first field of the dialog has the focus, not the last one."""
        visit.page.locator(".auth-wrapper .btn.authorize").click()

        expect(visit.page.locator("#client_id_clientCredentials")).to_be_focused()

    def test_one_main_landmark(self, visit: Visit) -> None:
        """Swagger UI has a main element; the page has no other around it."""
        assert visit.page.locator("main").count() == 1

    def test_dark_mode_follows_the_system(self, visit: Visit) -> None:
        """The page becomes dark when the system does, and light again."""
        background = "getComputedStyle(document.body).backgroundColor"
        light = visit.page.evaluate(background)
        visit.page.emulate_media(color_scheme="dark")
        expect(visit.page.locator("html")).to_have_class("dark-mode")

        assert visit.page.evaluate(background) != light


def _serious(visit: Visit) -> list[str]:
    """Return the critical and serious findings of axe-core, with their elements."""
    violations = Axe().run(visit.page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:100]}"
        for violation in violations
        if violation["impact"] in {"critical", "serious"}
        for node in violation["nodes"]
    ]
