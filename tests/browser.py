"""A real browser that shows nothing, for tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

GRAVE = ("serious", "critical")
LAPTOP, PHONE = (1280, 900), (390, 844)


def chromium() -> str:
    """Where the browser is; without one the test is skipped, but not where everything has to be there."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        assert "CI" not in os.environ, "chromium is not installed"
        pytest.skip("chromium is not installed")
    return found


@dataclass
class Seen:
    """A page with all that it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def dismiss(self, dialog: Dialog) -> None:
        self.said.append(dialog.message)
        dialog.dismiss()

    def count(self, selector: str) -> int:
        return self.page.locator(selector).filter(visible=True).count()

    def grave_violations(self) -> list[str]:
        """What axe finds that keeps somebody from using the page."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {node['html'][:120]}"
            for each in found
            if each["impact"] in GRAVE
            for node in each["nodes"][:3]
        ]


@contextmanager
def browsing() -> Iterator[Browser]:
    """The browser, as root too."""
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, *, size: tuple[int, int] = LAPTOP, scheme: str = "light", script: bool = True
) -> Iterator[Seen]:
    """The page in a window of that size."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    seen = Seen(context.new_page())
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on("dialog", seen.dismiss)
    seen.page.on("request", lambda request: seen.asked.append(request.url))
    seen.page.goto(path.as_uri())
    yield seen
    context.close()
