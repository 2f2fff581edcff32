"""Chromium, and a visit to the page of the local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.visit import FLAGS, Visit, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from infra.local.local_stack import Stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium without a display."""
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Visit]:
    """Open the page in a new browser context, without cookies and storage."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    visit = Visit(context.new_page())
    visit.page.goto(stack.docs_url)
    expect(visit.page.locator(".opblock").first).to_be_visible()
    yield visit
    context.close()
