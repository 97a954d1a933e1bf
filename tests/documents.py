"""The documents, and the blocks of code in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
# Of the root, those that a repository's front page shows.
COMMUNITY = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *COMMUNITY, *PAGES]


def blocks(language: str, documents: list[Path] = DOCUMENTS) -> list[tuple[str, str]]:
    """Return the fenced blocks of a language, each with a name: its document and number."""
    found = []
    for path in documents:
        text = path.read_text(encoding="utf-8")
        fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
        of_language = [block for name, block in fenced if name == language]
        found += [(f"{path.stem}-{n}", block) for n, block in enumerate(of_language, start=1)]
    return found


def output_after(block: str, document: Path = README) -> list[str]:
    """Return the lines of the indented block that follows a block of code in a document."""
    _, _, rest = document.read_text(encoding="utf-8").partition(block)
    found = re.search(r"^(?: {4}\S.*\n)+", rest, re.M)
    return [line.strip() for line in found[0].splitlines()] if found else []
