"""Examples of the documents, by the heading that they are under."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def python_examples(file: Path) -> dict[str, str]:
    """The Python of the sections of a document that have some; no section has two."""
    sections = re.split(r"^## ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    examples = {}
    for section in sections:
        found = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
        if found:
            [examples[section.partition("\n")[0]]] = found
    return examples
