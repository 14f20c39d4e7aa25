"""A film of pages: pictures with a pointer, each shown for a time, as one animated WebP."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page

ARROW = ((0, 0), (0, 17), (4, 13), (7, 19), (10, 18), (7, 12), (12, 12))
"""The pointer's outline, from its tip, in pixels."""


class Film:
    """Collects pictures; `width` is what they are made smaller to."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._pictures: list[Image.Image] = []
        self._times: list[int] = []
        self._pointer = (0.0, 0.0)

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return sum(self._times) / 1000

    def show(self, page: Page, seconds: float) -> None:
        """What the page shows now, for so long."""
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        outline = [(self._pointer[0] + x, self._pointer[1] + y) for x, y in ARROW]
        ImageDraw.Draw(picture).polygon(outline, fill="black", outline="white")
        height = round(picture.height * self._width / picture.width)
        self._pictures.append(picture.resize((self._width, height), Image.Resampling.LANCZOS))
        self._times.append(round(seconds * 1000))

    def point(self, page: Page, target: Locator, steps: int = 6) -> None:
        """The pointer goes to the middle of something."""
        box = target.bounding_box()
        assert box, "it cannot be seen"
        (x, y), (to_x, to_y) = self._pointer, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for step in range(1, steps + 1):
            self._pointer = (x + (to_x - x) * step / steps, y + (to_y - y) * step / steps)
            self.show(page, 0.1)
        self.show(page, 0.5)

    def type(self, page: Page, text: str, at_once: int = 3) -> None:
        """Keys, some at a time."""
        for start in range(0, len(text), at_once):
            page.keyboard.type(text[start : start + at_once], delay=15)
            page.wait_for_timeout(120)
            self.show(page, 0.12)

    def save(self, path: Path) -> None:
        """Writes it, to be shown for ever."""
        first, *others = self._pictures
        settings = {"quality": 62, "method": 6, "minimize_size": True}
        first.save(path, save_all=True, append_images=others, duration=self._times, loop=0, **settings)
