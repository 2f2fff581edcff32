"""Tests of the names that are suggested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.parsing.suggestions import closest, edit_distance, listed, plain, question
from chalicelib.domain.submission.model import Submission

FIELDS = [field.alias or name for name, field in Submission.model_fields.items()]
WORDS = st.text("abc", max_size=5)


def misspellings(word: str) -> set[str]:
    """Return *word* with one letter left out, doubled, replaced or swapped with the next one."""
    places = range(len(word))
    return {
        *(word[:place] + word[place + 1 :] for place in places),
        *(word[:place] + word[place] * 2 + word[place + 1 :] for place in places),
        *(word[:place] + "q" + word[place + 1 :] for place in places),
        *(word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :] for place in places),
    } - {word}


class TestClosest:
    """Tests of closest."""

    @pytest.mark.parametrize("field", FIELDS)
    def test_one_letter(self, field: str) -> None:
        """With one letter wrong, a field is found, or another one that is as close."""
        for word in misspellings(field):
            meant = closest(word, FIELDS)
            assert meant, word
            assert edit_distance(plain(word), plain(meant)) <= 1

    @pytest.mark.parametrize("write", [str.upper, str.lower, lambda field: "--" + field.replace("M", "-m")])
    @pytest.mark.parametrize("field", FIELDS)
    def test_case_and_punctuation(self, field: str, write: st.DataObject) -> None:
        """Case, underscores and hyphens do not matter."""
        assert closest(write(field), FIELDS) == field  # type: ignore[operator] # functions of text

    @pytest.mark.parametrize("word", ["", "x", "_", "seed", "lr", "epochs", "mode", "color", "checkpoint", "ü" * 80])
    def test_other_words(self, word: str) -> None:
        """A word that is no misspelling has no suggestion."""
        assert closest(word, FIELDS) is None


class TestEditDistance:
    """Tests of edit_distance."""

    @pytest.mark.parametrize(
        ("one", "other", "distance"),
        [("", "", 0), ("", "ab", 2), ("gpu", "gpu", 0), ("gup", "gpu", 1), ("kitten", "sitting", 3), ("ab", "ba", 1)],
    )
    def test_examples(self, one: str, other: str, distance: int) -> None:
        """Letters that are swapped count once."""
        assert edit_distance(one, other) == distance

    @given(WORDS, WORDS)
    def test_properties(self, one: str, other: str) -> None:
        """It is symmetric, 0 only for equal words, and at most the length of the longer one."""
        distance = edit_distance(one, other)

        assert distance == edit_distance(other, one)
        assert (distance == 0) == (one == other)
        assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))


class TestSentences:
    """Tests of question and listed."""

    def test_sentences(self) -> None:
        """Names are in code marks."""
        assert (question("gpu"), question(None)) == (". Did you mean `gpu`?", "")
        assert listed(["a", "b"]) == "`a`, `b`"
