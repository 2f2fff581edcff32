"""The name that a misspelled one most likely means. Imported only when a request is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_WORD = 64
LETTERS_OF_A_SHORT_WORD = 4


def plain(name: str) -> str:
    """Return *name* in lower case without punctuation, so that jobName, job_name, job-name and --job-name are equal."""
    return re.sub(r"[^a-z0-9]", "", name[:MAX_WORD].lower())


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the name in *known* that differs from *word* in case, punctuation or a few letters, or None.

    Of a word of up to four letters one may be wrong, of a longer one a third, but no more than three.
    """
    names, letters = list(known), plain(word)
    if len(letters) <= 1:
        return None
    longest = 1 if len(letters) <= LETTERS_OF_A_SHORT_WORD else min(3, len(letters) // 3)
    near = [(distance, name) for name in names if (distance := _distance(letters, plain(name), longest)) <= longest]
    return min(near, key=lambda found: found[0])[1] if near else None


def _distance(one: str, other: str, longest: int) -> int:
    """Return the edit distance, or more than *longest* if the lengths alone differ by more."""
    difference = abs(len(one) - len(other))
    return difference if difference > longest else edit_distance(one, other)


def edit_distance(one: str, other: str) -> int:
    """Return how many letters are inserted, left out, replaced, or swapped with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, letter_of_other in enumerate(other, 1):
            steps = [before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != letter_of_other)]
            if last and j > 1 and one[i - 2 : i] == other[j - 1] + other[j - 2]:
                steps.append(last[j - 2] + 1)
            row.append(min(steps))
    return row[-1]


def question(name: str | None) -> str:
    """Return the question whether *name* was meant, which completes a sentence; empty for None."""
    return f". Did you mean `{name}`?" if name else ""


def listed(names: Iterable[str]) -> str:
    """Return *names* in code marks, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)
