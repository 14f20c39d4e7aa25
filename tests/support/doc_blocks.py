"""The blocks of code in the documentation, each with where it stands and what was said just before it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)```([a-z]*)\n(.*?)^\1```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One block: the page with the line on which it begins, its language, its text, the 400 characters before."""

    place: str
    language: str
    text: str
    before: str

    def commands(self) -> list[str]:
        """What a shell is given by it, line by line: of a `console` that which follows the prompt."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if self.language == "console":
            return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def section(page: str, heading: str) -> str:
    """The text of a page of docs/ below a heading, to the next one of the same rank or a higher one."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    assert text, f"{page} has no {heading}"
    bare = FENCE.sub(lambda found: "." * len(found[0]), text)  # a comment in a block is no heading
    end = re.search(rf"^#{{1,{heading.index(' ')}}} ", bare, flags=re.M)
    return text[: end.start()] if end else text


def is_test(name: str) -> bool:
    """Whether there is such a test: `tests/…/test_x.py::test_y`."""
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return function in {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def blocks_in(text: str, language: str) -> list[str]:
    """The texts of the blocks in this language."""
    return [body for _, found, body in FENCE.findall(text) if found == language]


def blocks(*languages: str) -> Iterator[Block]:
    """The blocks of all pages, or those in one of these languages."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            indent, language, body = found.groups()
            if not languages or language in languages:
                place = f"{page.name}:{text.count(chr(10), 0, found.start()) + 1}"
                body = re.sub(f"^{indent}", "", body, flags=re.M)
                yield Block(place, language, body, text[max(0, found.start() - 400) : found.start()])
