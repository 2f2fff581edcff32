"""References to container images, as registries and container runtimes accept them.

https://github.com/distribution/reference/blob/main/reference.go has the grammar. Each mistake has its own message; a
message does not contain the reference, which may contain a password.
"""

from __future__ import annotations

import re

MAX_IMAGE = 512
MAX_REPOSITORY = 255
MAX_TAG = 128
_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?"
_PORT = ":[0-9]{1,5}"
_HOST = rf"((localhost|{_LABEL}(\.{_LABEL})+|\[[a-fA-F0-9:]+\])({_PORT})?|{_LABEL}{_PORT})"
_COMPONENT = r"[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}"
_DIGEST = r"(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})"
IMAGE_PATTERN = rf"({_HOST}/)?{_COMPONENT}(/{_COMPONENT})*(:{_TAG})?(@{_DIGEST})?"

_EXAMPLE = "nvcr.io/nvidia/pytorch:26.10-py3"
_ID = re.compile(r"(sha256:)?[a-f0-9]{64}")


def check_image(image: object) -> object:
    """Return *image*; raise ValueError with the reason if no registry can have an image of this name."""
    if isinstance(image, str) and len(image) <= MAX_IMAGE and (problem := _problem(image)):
        raise ValueError(problem)
    return image


def _problem(image: str) -> str | None:
    """Return what is wrong with *image*, or None."""
    if not image:
        return f"must not be empty: write a repository with a tag, such as {_EXAMPLE}"
    if re.search(r"\s", image):
        return "must not contain spaces or line breaks"
    if "://" in image:
        return f"must not begin with https:// or another scheme: write {_EXAMPLE}"
    if _ID.fullmatch(image):
        return "must not be the ID of an image, which only one computer knows: write its repository with a tag"
    name, at, digest = image.partition("@")
    if at and not re.fullmatch(_DIGEST, digest):
        return _digest_problem(digest)
    return _name_problem(name)


def _digest_problem(digest: str) -> str:
    if not digest:
        return "must not end with @: write a digest after it, or remove it"
    if digest.startswith("sha"):
        return "must have a whole digest: sha256: and 64 of the characters 0 to 9 and a to f"
    return "must not contain @ before anything but a digest; a password belongs in an image pull secret"


def _name_problem(name: str) -> str | None:
    """Return what is wrong with the host, the repository or the tag, or None."""
    path, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    host, repository = _host_and_repository(path + slash + last)
    if colon and not re.fullmatch(_TAG, tag):
        return _tag_problem(tag)
    if repository != repository.lower():
        return "must have a repository in lower case; only a tag can have capitals"
    if len(repository) > MAX_REPOSITORY:
        return f"must have a repository of at most {MAX_REPOSITORY} characters"
    if not re.fullmatch(rf"{_COMPONENT}(/{_COMPONENT})*", repository):
        return "must have a repository of lower-case letters and digits, with single . _ / or - between them"
    if host and not re.fullmatch(_HOST, host):
        return "must begin with the host name of a registry, or with a repository"
    return None


def _tag_problem(tag: str) -> str:
    if not tag:
        return "must not end with a colon: write a tag after it, or remove it"
    if len(tag) > MAX_TAG:
        return f"must have a tag of at most {MAX_TAG} characters"
    return "must have a tag of letters, digits, . _ and -, which begins with a letter, a digit or _"


def _host_and_repository(name: str) -> tuple[str, str]:
    """Split *name* as container runtimes do: the first part is a host if it has a dot or a port, or is localhost."""
    first, slash, rest = name.partition("/")
    is_host = bool(slash) and (first == "localhost" or first[:1] == "[" or "." in first or ":" in first)
    return (first, rest) if is_host else ("", name)
