"""The prose check finds the words of its list wherever they are written."""

from __future__ import annotations

import pytest

from tests.prose.__main__ import ROOT, WORDS, find, load_words, main

LIST = load_words("# a comment\nold (word|phrase)s? -> new word\n")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        pytest.param("an old word", "old word", id="one line"),
        pytest.param("Old\n    words", "Old words", id="two lines"),
        pytest.param("# the old\n# phrase", "old phrase", id="a comment of two lines"),
    ],
)
def test_finds_a_phrase(text: str, phrase: str) -> None:
    """A phrase is found in any case, also where it continues on the next line."""
    assert [finding.phrase for finding in find(text, "a.py", LIST)] == [phrase]


@pytest.mark.parametrize("text", ["bold words", "old wordsmith", "old", ""])
def test_ignores_parts_of_words(text: str) -> None:
    """Only whole words count."""
    assert not find(text, "a.py", LIST)


def test_reports_line_and_replacement() -> None:
    """A finding has the file, the line and what to write instead."""
    (finding,) = find("1\n2\nold word", "a.py", LIST)

    assert (finding.place, finding.instead) == ("a.py:3", "new word")


def test_fails_on_a_file_with_such_words(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the findings and fails."""
    sample = ROOT / "tests/unit/prose_sample.md"
    sample.write_text("no-body".replace("-", ""), encoding="utf-8")
    try:
        status = main(["tests/unit/prose_sample.md"])
    finally:
        sample.unlink()

    assert (status, "prose_sample.md:1" in capsys.readouterr().out) == (1, True)


def test_word_list_is_well_formed() -> None:
    """Every line of the list has a pattern and a replacement."""
    assert load_words(WORDS.read_text(encoding="utf-8"))
