"""Split a command that is one string into words, exactly as /bin/sh does, and reject what only a shell can run.

No shell runs the words of a command, so a string is accepted only if a shell would pass the same words to the program:
quotes, escapes and continued lines (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02).
Operators, expansions, assignments and builtins are rejected outside the quotes that make them ordinary characters.

- `*` and `?` after `=` or `://` are ordinary characters: no file has such a name, so that a shell passes
  `--glob=*.json` and `https://host/?page=1` as they are. So are `[` and `{`, which options of programs often have.
- In `bash -c "echo $NAME"`, the script in double quotes is left to that shell, which has the same variables.

Kubernetes itself replaces `$(NAME)` in a list of words, and `$$` by `$`. In a string and in a script, where a shell
gives both another meaning, `escape_expansions` makes Kubernetes pass every `$` as it is.
"""

from __future__ import annotations

import re

from chalicelib.domain.submission.shell_names import BUILTINS, RESERVED_WORDS, SHELLS

_DOLLAR = r"\$(?:\\\n)*"
_EXPANSIONS = (
    ("a backquote", "`"),
    ("$(...)", _DOLLAR + r"\("),
    ("${...}", _DOLLAR + r"\{"),
    ("$[...]", _DOLLAR + r"\["),
    ("$NAME", _DOLLAR + r"[A-Za-z0-9_@*#?$!-]"),
)
"""What a shell replaces outside single quotes, as it is named in messages."""
_SYNTAX = (
    *_EXPANSIONS,
    ("$'...'", _DOLLAR + r"['\"]"),
    *((operator, re.escape(operator)) for operator in ("&&", "||", "|", "&", ";", "<", ">", "(", ")")),
    ("a carriage return", r"\r"),
)
"""What has a meaning to a shell outside quotes."""
_TOKEN = re.compile(
    r"(?P<continuation>\\\n)|(?P<not_continued>\\[ \t\r]+\n)|\\(?P<escaped>.)|'(?P<single>[^']*)'"
    r"|\"(?P<double>(?:[^\"\\]|\\.)*)\"|(?P<blank>[ \t]+)|(?P<newline>\n)|(?P<pattern>[*?])"
    rf"|(?P<syntax>{'|'.join(pattern for _, pattern in _SYNTAX)})|(?P<bare>[^ \t\n\\'\"`&|;<>()*?\r$]+|\$)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:\n|(.))", re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_NO_FILE = re.compile(r"=|://")
_KUBERNETES_EXPANSION = re.compile(r"\$[$(\x80-\U0010ffff]")
"""Kubernetes also corrupts a character outside ASCII after `$`: it reads one byte of it (third_party/expansion)."""


def split_command(text: str) -> list[str]:
    """Return the words of *text*; raise ValueError with the reason if it is not one simple command."""
    words, position = _Words(), 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError("must close each quote, and not end after a backslash; or be an array of words")
        words.add(token.lastgroup or "", token[token.lastgroup or ""])
        position = token.end()
    return words.finished()


def escape_expansions(text: str) -> str:
    """Return *text* so that Kubernetes passes it as it is, without replacing `$(NAME)` and `$$`."""
    return text.replace("$", "$$") if _KUBERNETES_EXPANSION.search(text) else text


class _Words:
    """The words so far, and the parts of the word that is being read: all, and those before its first quote."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._parts: list[str] = []
        self._bare: list[str] = []
        self._ended = False

    def add(self, kind: str, text: str) -> None:
        """Add the token *text* of this *kind*."""
        match kind:
            case "blank" | "newline":
                self._end_word()
                self._ended = self._ended or (kind == "newline" and bool(self._words))
            case "not_continued":
                raise ValueError("must not have spaces or a carriage return after the backslash that continues a line")
            case "syntax":
                raise ValueError(_message(_syntax_name(text), "outside quotes"))
            case "bare" | "pattern":
                self._add_bare(text)
            case "double":
                self._append(_double_quoted(text, expanded=not self._is_script()))
            case "single" | "escaped":
                self._append(text)

    def finished(self) -> list[str]:
        """Return the words."""
        self._end_word()
        return self._words

    def _add_bare(self, text: str) -> None:
        if not self._parts and text[0] in "~#":
            raise ValueError(_message(text[0], "at the start of a word"))
        if text in "*?" and not _NO_FILE.search("".join(self._parts)):
            raise ValueError(_message(text, "outside quotes"))
        if len(self._bare) == len(self._parts):
            self._bare.append(text)
        self._append(text)

    def _append(self, text: str) -> None:
        if self._ended:
            raise ValueError(_message("a line break", "outside quotes, except after a backslash"))
        self._parts.append(text)

    def _is_script(self) -> bool:
        """Return whether the next word is the script of a shell, as in `bash -c "..."`."""
        option = bool(self._words) and re.fullmatch(r"-[A-Za-z]*c", self._words[-1])
        return bool(option) and any(word.rpartition("/")[2] in SHELLS for word in self._words)

    def _end_word(self) -> None:
        if not self._parts:
            return
        word, bare = "".join(self._parts), "".join(self._bare)
        if not self._words:
            _check_first(word, bare, is_bare=len(self._bare) == len(self._parts))
        self._words.append(word)
        self._parts, self._bare = [], []


def _check_first(word: str, bare: str, *, is_bare: bool) -> None:
    """Raise ValueError if no program but a shell runs a command whose first word is *word*, beginning with *bare*."""
    if _ASSIGNMENT.match(bare):
        raise ValueError("must not begin with NAME=value: set it in environment, or write the command in script")
    if word in BUILTINS or (is_bare and word in RESERVED_WORDS):
        raise ValueError(_message(word, "as the program"))


def _double_quoted(text: str, *, expanded: bool) -> str:
    """Return the value of *text* between double quotes; raise ValueError if it is *expanded* by a shell."""
    for name, pattern in _EXPANSIONS if expanded else ():
        if re.search(pattern, _ESCAPE.sub(lambda escape: " " if escape[1] else "", text)):
            raise ValueError(_message(name, "in double quotes"))
    return re.sub(r"\\(?:\n|([$`\"\\]))", lambda escape: escape[1] or "", text)


def _syntax_name(text: str) -> str:
    return next(name for name, pattern in _SYNTAX if re.fullmatch(pattern, text))


def _message(name: str, place: str) -> str:
    return f"must not have {name} {place}: no shell runs the command. Write it in script, or as a list of words"
