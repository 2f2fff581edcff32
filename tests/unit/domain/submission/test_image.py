"""Tests of images."""

from __future__ import annotations

import pytest

from chalicelib.domain.submission.image import MAX_IMAGE, check_image

SHA256 = "sha256:" + "0a" * 32
CAPITALS = "must have a repository in lower case; only a tag can have capitals"
TAG = "must have a tag of letters, digits, . _ and -"
REPOSITORY = "must have a repository of lower-case letters and digits"
SCHEME = "must not begin with https:// or another scheme: write nvcr.io/nvidia/pytorch:26.10-py3"
PASSWORD = "must not contain @ before anything but a digest; a password belongs in an image pull secret"


@pytest.mark.parametrize(
    "image",
    [
        "busybox",
        "busybox:1.37",
        "library/busybox:LATEST_1-a.b",
        "nvcr.io/nvidia/pytorch:26.10-py3",
        "nvcr.io/nvidia/pytorch:26.10-py3@" + SHA256,
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/train:v1",
        "Registry.Example.COM/a/b",
        "localhost/a",
        "localhost:5000/a_b/c.d__e--f:v1@" + SHA256,
        "registry:5000/a",
        "[2001:db8::1]:5000/a:v1",
        "a@sha512:" + "0" * 128,
        "a" * 255,
    ],
)
def test_valid(image: str) -> None:
    """An image that a registry can have is unchanged."""
    assert check_image(image) == image


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("", "must not be empty"),
        (" busybox", "must not contain spaces or line breaks"),
        ("busybox\n", "must not contain spaces or line breaks"),
        ("docker run busybox", "must not contain spaces or line breaks"),
        ("https://nvcr.io/nvidia/pytorch", SCHEME),
        ("docker://busybox", SCHEME),
        ("oci://a/b:c", SCHEME),
        ("https://me:secret@registry/x", SCHEME),
        ("0a" * 32, "must not be the ID of an image"),
        (SHA256, "must not be the ID of an image"),
        ("PyTorch", CAPITALS),
        ("nvcr.io/NVIDIA/pytorch:26.10-py3", CAPITALS),
        ("MyRegistry/a", CAPITALS),
        ("busybox:", "must not end with a colon: write a tag after it, or remove it"),
        ("localhost:5000/a:", "must not end with a colon"),
        ("busybox:la test", "must not contain spaces"),
        ("busybox:.1", TAG),
        ("busybox:-1", TAG),
        ("busybox:a+b", TAG),
        ("busybox:a:b", TAG),
        ("busybox:" + "a" * 129, "must have a tag of at most 128 characters"),
        ("busybox@", "must not end with @"),
        ("busybox@latest", PASSWORD),
        ("me:secret@registry/x", PASSWORD),
        ("busybox@sha256:abc", "must have a whole digest"),
        ("busybox@sha256:" + "0A" * 32, "must have a whole digest"),
        ("-v", REPOSITORY),
        ("/a", REPOSITORY),
        ("a/", REPOSITORY),
        ("a//b", REPOSITORY),
        ("a..b", REPOSITORY),
        ("a_", REPOSITORY),
        ("nvcr.io/", REPOSITORY),
        ("<image>", REPOSITORY),
        ("${IMAGE}", CAPITALS),
        ("{{image}}", REPOSITORY),
        ("./dockerfile", "must begin with the host name of a registry"),
        ("../a", "must begin with the host name of a registry"),
        ("a_b.c/d", "must begin with the host name of a registry"),
        ("host:port/a", "must begin with the host name of a registry"),
        ("a" * 256, "must have a repository of at most 255 characters"),
    ],
)
def test_invalid(image: str, message: str) -> None:
    """An image that no registry can have is rejected, with what to write instead; the message has no part of it."""
    with pytest.raises(ValueError, match=r"^must") as error:
        check_image(image)

    assert str(error.value).startswith(message)
    assert "secret" not in str(error.value).replace("pull secret", "")


@pytest.mark.parametrize("value", [7, None, ["busybox"], "a" * (MAX_IMAGE + 1)])
def test_types_and_length_are_checked_elsewhere(value: object) -> None:
    """Other types and longer strings have messages of their own."""
    assert check_image(value) is value
