"""A real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PHONE, SCREEN = 390, 1280


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser; the test is skipped where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("Chromium is not here: install Debian's package chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, file: Path, theme: str = "light", width: int = SCREEN
) -> Iterator[tuple[Any, list[str]]]:
    """A page without network, and what it complains of: errors, warnings, anything it asks for."""
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900}, offline=True
    )
    context.set_default_timeout(10_000)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: request.url != file.as_uri() and complaints.append(request.url),
    )
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-charts=drawn]")
    try:
        yield page, complaints
    finally:
        context.close()
