"""Chromium, one for all tests of a session, and pages in it that notice everything a page does."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.tools import ROOT, find, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Dialog, Page

KINDS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
SCREENSHOTS = Path(os.environ.get("RETRAIN_SCREENSHOTS", ROOT / "build" / "screenshots"))


def launched() -> Iterator[Browser]:
    """Start the browser; it ends with the test session."""
    executable = next(filter(None, map(find, KINDS)), None) or require("chromium", "looks at the page")
    require("playwright", "drives the browser")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - may not be installed

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@dataclass
class Seen:
    """A page, and what it did since it was opened.

    Attributes:
        page: the page.
        asked: addresses it asked for, but for itself.
        said: errors that it wrote to the console, or that nobody caught.
        dialogs: what it put before the reader.

    """

    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def dismiss(self, dialog: Dialog) -> None:
        """Note a dialog, and close it."""
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def opened(browser: Browser, place: Path, size: str = "desktop", scheme: Any = "light", **options: Any) -> Seen:
    """Open the file at `place`, and wait until its plots are drawn."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    seen = Seen(context.new_page())
    seen.page.on("request", lambda request: seen.asked.append(request.url))
    seen.page.on("console", lambda said: seen.said.append(said.text) if said.type == "error" else None)
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on("dialog", seen.dismiss)
    seen.page.goto(place.as_uri())
    seen.page.wait_for_function("document.querySelectorAll('[data-plot]:not([data-drawn])').length === 0")
    seen.asked = [address for address in seen.asked if address != place.as_uri() and not address.startswith("data:")]
    return seen
