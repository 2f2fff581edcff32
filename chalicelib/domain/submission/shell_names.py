"""Shells, and the words that are commands only in a shell: no image has a program of that name."""

from __future__ import annotations

SHELLS = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
RESERVED_WORDS = frozenset(
    {"!", "{", "}", "[[", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "then"}
    | {"until", "while"}
)
"""The reserved words of POSIX and bash, which quotes make ordinary words."""
BUILTINS = frozenset(
    {".", ":", "alias", "bg", "break", "builtin", "cd", "command", "continue", "declare", "eval", "exec", "exit"}
    | {"export", "fg", "hash", "jobs", "let", "local", "popd", "pushd", "read", "readonly", "return", "set", "shift"}
    | {"shopt", "source", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait"}
)
"""Builtins of POSIX and bash, without those that also exist as programs, such as `echo`, `test` and `true`."""
