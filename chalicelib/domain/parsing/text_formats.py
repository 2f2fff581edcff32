"""Recognize bodies that are no text in UTF-8, or of another format than the expected one."""

from __future__ import annotations

import codecs
import re

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MINIMAL = '{"project": "team-a", "image": "busybox"}'
"""The shortest submission."""
_EMPTY = (
    f"A Job has at least {MINIMAL}; a clone without changes is {{}}; Jobs to delete are an array such as "
    '[{"project": "team-a", "name": "train-1"}].'
)
_FORMATS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"@", "is the name of a file. With curl, write --data-binary @FILE outside of further quotes"),
        (r"<", "looks like XML or HTML. Send {wanted} instead"),
        (
            r"--[\w'()+,./:=?-]+\r?\nContent-Disposition",
            "is multipart/form-data. Send {wanted} instead: with curl, use --data-binary in place of -F",
        ),
        (
            r"#!|#SBATCH|#PBS|(docker|kubectl|runai|srun|sbatch|sky|ray|aws|curl|python3?) ",
            "is a script or a command line. Send {wanted} instead, with the command in the field `command`",
        ),
        (r"[\w.%+\[\]-]{1,64}=[^\s{]*(&|\s*$)", "is form-encoded. Send {wanted} instead, such as " + MINIMAL),
    )
)
_YAML = re.compile(r"\s*(#[^\n]*\n\s*)*(---(\s|$)|[A-Za-z_][\w.-]{0,63}:(\s|$)|- )")


def other_format(body: bytes, wanted: str, thing: str) -> str | None:
    """Return the sentence about *body*, if it is empty, not in UTF-8 or obviously not of the format *wanted*."""
    return _encoding(body, thing) or _other_text(body.decode("utf-8"), wanted, thing)


def _encoding(body: bytes, thing: str) -> str | None:
    if not body.strip():
        return f"The {thing} is empty. {_EMPTY}"
    if body.startswith(_UTF_16) or b"\x00" in body[:4]:
        return f"The {thing} is encoded in UTF-16 or UTF-32, or it is binary. Save it as UTF-8."
    if body.startswith(codecs.BOM_UTF8):
        return f"The {thing} begins with a byte order mark. Save it as UTF-8 without BOM."
    if body.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        return f"The {thing} is compressed. Send it uncompressed."
    return _invalid_byte(body, thing)


def _invalid_byte(body: bytes, thing: str) -> str | None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        line, begin = body.count(b"\n", 0, error.start) + 1, body.rfind(b"\n", 0, error.start) + 1
        column = len(body[begin : error.start].decode("utf-8")) + 1
        return f"The {thing} is not valid UTF-8 at line {line}, column {column}. Save it as UTF-8."
    return None


def _other_text(text: str, wanted: str, thing: str) -> str | None:
    """Return the sentence about *text* in another format; YAML is one only where JSON is *wanted*."""
    for pattern, sentence in _FORMATS:
        if pattern.match(text.lstrip()):
            return f"The {thing} {sentence.replace('{wanted}', wanted)}."
    if wanted == "JSON" and _YAML.match(text):
        return f"The {thing} looks like YAML. Send JSON, such as {MINIMAL}; YAML is accepted in uploads named .yaml."
    return None
