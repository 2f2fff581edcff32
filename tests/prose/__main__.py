"""Find the words of `words.txt` in code, comments, documentation and the OpenAPI document."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
WORDS = Path(__file__).with_name("words.txt")
CHECKED = ("*.py", "*.md", "*.yaml", "*.yml", "*.json", "*.toml", "*.html", "*.js", "*.sh", "Makefile")
SKIPPED = (":!tests/prose/", ":!docs/contributing/style.md", ":!tests/openapi_lint/package-lock.json")


class Finding(NamedTuple):
    """A phrase of the word list at a line of a file, and what to write instead."""

    place: str
    phrase: str
    instead: str


NEWLINE = "\n"
GAP = r"[\s#]+"
"""Between two words: white space, and the sign of a comment that continues on the next line."""


def load_words(text: str) -> list[tuple[re.Pattern[str], str]]:
    """Parse lines of `pattern -> replacement`; a space in a pattern matches any white space, comment signs included."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    pairs = (line.split(" -> ", 1) for line in lines)
    return [(re.compile(rf"\b({each.replace(' ', GAP)})\b", re.IGNORECASE), instead) for each, instead in pairs]


def find(text: str, path: str, words: list[tuple[re.Pattern[str], str]]) -> list[Finding]:
    """Return every phrase of *words* in *text*, also where it continues on the next line."""
    return [
        Finding(f"{path}:{text.count(NEWLINE, 0, match.start()) + 1}", " ".join(re.split(GAP, match[0])), instead)
        for pattern, instead in words
        for match in pattern.finditer(text)
    ]


def main(paths: list[str]) -> int:
    """Print the findings in *paths*, or in all files under version control; return 1 if there are any."""
    words = load_words(WORDS.read_text(encoding="utf-8"))
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *(paths or CHECKED), *SKIPPED]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [
        finding
        for path in listed
        if Path(path).suffix in {Path(each).suffix for each in CHECKED} and (ROOT / path).is_file()
        for finding in find((ROOT / path).read_text(encoding="utf-8"), path, words)
    ]
    for finding in sorted(found):
        sys.stdout.write(f"{finding.place}: {finding.phrase!r}: write for example: {finding.instead}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
