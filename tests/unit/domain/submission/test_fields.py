"""The types of a submission's fields."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.domain.submission import fields
from chalicelib.domain.submission.device_variables import DEVICE_PREFIXES, DEVICE_VARIABLES

RESERVED = "Value error, is reserved for Kubernetes, a scheduler, AWS or this API"


def taken(kind: Any, value: object) -> object:  # noqa: ANN401 - an annotated type
    """What *value* becomes as *kind*."""
    return TypeAdapter(kind).validate_python(value, strict=True)


def refusals(kind: Any, value: object) -> list[str]:  # noqa: ANN401 - an annotated type
    """What *kind* says against *value*."""
    with pytest.raises(ValidationError) as refused:
        taken(kind, value)
    return [one["msg"] for one in refused.value.errors(include_input=False)]


class TestTexts:
    """Fields that are text of a pattern."""

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            pytest.param(fields.Text, "\n", id="text of two lines"),
            pytest.param(fields.Image, "localhost:5000/a_b/c.d:v1@sha256:" + "0a" * 32, id="image of every mark"),
            pytest.param(fields.Memory, "35184372088k", id="longest memory"),
            pytest.param(fields.Memory, "32Ti", id="most memory"),
            pytest.param(fields.VolumeSize, "64Ti", id="largest volume"),
            pytest.param(fields.AbsolutePath, "/", id="root"),
            pytest.param(fields.DnsSubdomain, "a.b-c.0", id="subdomain"),
            pytest.param(fields.LabelValue, "", id="empty label value"),
            pytest.param(fields.LabelValue, "A_b.c-0", id="label value of every mark"),
        ],
    )
    def test_taken_as_it_is(self, kind: object, value: str) -> None:
        """What fits is not changed."""
        assert value == taken(kind, value)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            pytest.param(fields.Text, "a\x00", id="NUL"),
            pytest.param(fields.Text, 7, id="number as text"),
            pytest.param(fields.Text, "\ud800", id="lone surrogate"),
            pytest.param(fields.NewJobName, "a.b", id="name with a dot, which is no host name"),
            pytest.param(fields.NewJobName, "a\n", id="name and newline"),
            pytest.param(fields.NewJobName, "\u0663", id="unicode digit"),
            pytest.param(fields.JobNamePrefix, "a-", id="prefix with a hyphen at the end"),
            pytest.param(fields.Image, "-v", id="image like an option"),
            pytest.param(fields.Image, "http://a b", id="image with a space"),
            pytest.param(fields.Image, "https://me:secret@registry/x", id="image with a password"),
            pytest.param(fields.Image, "busybox@latest", id="image with a digest that is none"),
            pytest.param(fields.Memory, "1000000000000", id="memory of thirteen digits"),
            pytest.param(fields.Memory, "1gb", id="memory of an unknown unit"),
            pytest.param(fields.AbsolutePath, "a", id="relative path"),
            pytest.param(fields.AbsolutePath, "/a:b", id="path with a colon, which Kubernetes refuses"),
            pytest.param(fields.VariableName, "1A", id="variable that begins with a digit"),
            pytest.param(fields.VariableName, "A=B", id="variable with its value"),
            pytest.param(fields.DnsSubdomain, "a..b", id="empty label in a subdomain"),
            pytest.param(fields.LabelValue, "-a", id="label value that begins with a mark"),
            pytest.param(fields.LabelValue, "a,b=c", id="label value with a term"),
            pytest.param(fields.NodeType, "", id="empty node type"),
        ],
    )
    def test_refused(self, kind: object, value: object) -> None:
        """What does not fit is refused, and not cut or converted."""
        assert refusals(kind, value)

    @pytest.mark.parametrize(
        ("kind", "longest"),
        [
            pytest.param(fields.Text, "x" * 8192, id="text"),
            pytest.param(fields.Project, "a" * 50, id="Project"),
            pytest.param(fields.NewJobName, "a" * 52, id="name"),
            pytest.param(fields.JobNamePrefix, "a" * 40, id="prefix"),
            pytest.param(fields.Image, "a" * 512, id="image"),
            pytest.param(fields.AbsolutePath, "/" + "a" * 1023, id="path"),
            pytest.param(fields.VariableName, "A" * 128, id="variable"),
            pytest.param(fields.DnsLabel, "a" * 63, id="label"),
            pytest.param(fields.DnsSubdomain, "a" * 253, id="subdomain"),
            pytest.param(fields.LabelValue, "a" * 63, id="label value"),
        ],
    )
    def test_lengths_end(self, kind: object, longest: str) -> None:
        """The limit is inclusive, and counts characters."""
        assert longest == taken(kind, longest)
        assert refusals(kind, longest + "a")


class TestBounds:
    """What no node, and no volume, has."""

    @pytest.mark.parametrize(
        ("kind", "value", "bound"),
        [
            (fields.Memory, "33Ti", "32Ti"),
            (fields.Memory, "999999999999Ti", "32Ti"),
            (fields.VolumeSize, "65Ti", "64Ti"),
            (fields.VolumeSize, "71T", "64Ti"),
        ],
    )
    def test_is_refused_by_name(self, kind: object, value: str, bound: str) -> None:
        """The refusal says how much there can be."""
        (told,) = refusals(kind, value)

        assert f"must be at most {bound}" in told


class TestVariableName:
    """The name of an environment variable."""

    @pytest.mark.parametrize("name", [*DEVICE_VARIABLES, *DEVICE_PREFIXES, "DOCKER_RESOURCE_GPU"])
    def test_that_gives_devices_is_refused(self, name: str) -> None:
        """A container runtime would pass GPUs that the Job has not requested: the refusal says how to request them."""
        (told,) = refusals(fields.VariableName, name)

        assert told.endswith("devices that the Job does not request; set gpu instead")

    @pytest.mark.parametrize(
        "name",
        [
            "CUDA_VISIBLE_DEVICES",
            "ROCR_VISIBLE_DEVICES",
            "NEURON_RT_VISIBLE_CORES",
            "HABANA_VISIBLE_MODULES",
            "NVIDIA_DRIVER_CAPABILITIES",
            "NVIDIA_REQUIRE_CUDA",
            "NVIDIA_VISIBLE_DEVICES_",
            "MY_NVIDIA_VISIBLE_DEVICES",
            "nvidia_visible_devices",
            "DOCKER_RESOURCE",
        ],
    )
    def test_others_are_taken(self, name: str) -> None:
        """Those that choose among the container's own devices, and those that only look alike."""
        assert name == taken(fields.VariableName, name)


class TestGpus:
    """GPUs are given out whole."""

    @pytest.mark.parametrize(("value", "expected"), [(0, 0), (64, 64), (1.0, 1), (8.0, 8), (-0.0, 0)])
    def test_whole_number_is_taken(self, value: float, expected: int) -> None:
        """Run:ai types GPUs as double: 1.0 is one GPU, and an int from then on."""
        found = taken(fields.Gpus, value)

        assert (expected, int) == (found, type(found))

    @pytest.mark.parametrize("value", [0.5, 1.5, float("nan"), float("inf"), float("-inf")])
    def test_fraction_is_refused_with_the_reason(self, value: float) -> None:
        """Half a GPU is never rounded."""
        assert refusals(fields.Gpus, value) == ["Value error, must be a whole number: GPUs are not shared"]

    @pytest.mark.parametrize("value", [-1, 65, -1.0, 65.0, 1e300, 10**400, True, False, "1", None, [1]])
    def test_anything_else_is_refused(self, value: object) -> None:
        """Neither less than none, nor more than a node has, nor a boolean or a text for a number."""
        assert refusals(fields.Gpus, value)


class TestCores:
    """Cores, in parts too."""

    @pytest.mark.parametrize("value", [0.001, 1, 0.5, 1024])
    def test_number_is_taken(self, value: float) -> None:
        """From a thousandth to the largest node."""
        assert value == taken(fields.Cores, value)

    @pytest.mark.parametrize("value", [0, 0.0009, -1, 1024.001, float("nan"), float("inf"), True, "1"])
    def test_anything_else_is_refused(self, value: object) -> None:
        """No cores, not-a-number, infinity, and other types."""
        assert refusals(fields.Cores, value)


class TestWords:
    """A command: words, or one text."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            pytest.param(["a b", ""], ["a b", ""], id="words stay"),
            pytest.param("python train.py", ["python", "train.py"], id="split at spaces"),
            pytest.param("sh -c 'a && b \"c\"'", ["sh", "-c", 'a && b "c"'], id="quoted"),
            pytest.param("a\\ b", ["a b"], id="escaped"),
            pytest.param("a # b", ["a", "#", "b"], id="no comments"),
            pytest.param("$HOME `id` ; rm", ["$HOME", "`id`", ";", "rm"], id="nothing is expanded"),
            pytest.param("", [], id="empty"),
        ],
    )
    def test_words(self, value: object, expected: list[str]) -> None:
        """A text is split as a shell splits it, and nothing in it is run."""
        assert expected == taken(fields.Words, value)

    @pytest.mark.parametrize("value", ["a 'b", "a \\"], ids=["open quote", "open escape"])
    def test_text_that_no_shell_splits_is_refused(self, value: str) -> None:
        """The reason is told."""
        assert refusals(fields.Words, value) == ["Value error, must not end within a quote or after a backslash"]

    @pytest.mark.parametrize("value", [["a"] * 257, "a " * 257, [1], 1, "a\x00", ["a", None], {"a": 1}])
    def test_anything_else_is_refused(self, value: object) -> None:
        """Too many words, and what is no text."""
        assert refusals(fields.Words, value)


class TestVariable:
    """The value of an environment variable."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("", ""), ("x", "x"), (1, "1"), (0.5, "0.5"), (1e16, "1e+16"), (True, "true"), (False, "false")],
    )
    def test_becomes_text(self, value: object, expected: str) -> None:
        """Numbers are written out; a boolean is `true` or `false`, not Python's True."""
        assert expected == taken(fields.Variable, value)

    def test_secret_is_a_reference(self) -> None:
        """The value stays in the Secret."""
        found = taken(fields.Variable, {"secret": {"name": "hub", "key": ".token_1-A"}})

        expected = fields.SecretVariable(secret=fields.SecretKey(name="hub", key=".token_1-A"))
        assert expected == found

    @pytest.mark.parametrize(
        "value",
        [
            ["x"],
            {"configMap": {"name": "hub", "key": "k"}},
            {"secret": {"name": "hub"}},
            {"secret": {"name": "hub", "key": ""}},
            {"secret": {"name": "../hub", "key": "k"}},
            {"secret": {"name": "hub", "key": "a/b"}},
            {"secret": {"name": "hub", "key": "k", "optional": True}},
            {"secret": {"name": "hub", "key": "k"}, "value": "x"},
        ],
    )
    def test_anything_else_is_refused(self, value: object) -> None:
        """No other source of values, and no half a reference."""
        assert refusals(fields.Variable, value)


class TestDuration:
    """A time in seconds, or with a unit."""

    @pytest.mark.parametrize("value", [1, "1", "1s", 2_592_000, "30d", "720h", "43200m", "2592000"])
    def test_up_to_thirty_days(self, value: int | str) -> None:
        """Both forms reach the same limit."""
        assert value == taken(fields.Duration, value)

    @pytest.mark.parametrize(
        "value", [0, -1, 2_592_001, "2592001", "31d", "721h", "0", "1w", "", "1h\n", 1.0, True, None, "999999999d"]
    )
    def test_anything_else_is_refused(self, value: object) -> None:
        """No time at all, more than thirty days, fractions, other units."""
        assert refusals(fields.Duration, value)


class TestKey:
    """The key of a user's label or annotation."""

    @pytest.mark.parametrize("value", ["team", "example.com/team", f"{'a' * 253}/{'b' * 63}"])
    def test_users_own_key(self, value: str) -> None:
        """Any key that Kubernetes takes, up to its longest."""
        assert value == taken(fields.Key, value)

    @pytest.mark.parametrize("value", ["", "a b", "a/b/c", "a\n", "\ud800", 7])
    def test_no_key_is_refused(self, value: object) -> None:
        """What Kubernetes would refuse."""
        assert refusals(fields.Key, value)

    @pytest.mark.parametrize("value", ["researcher.dev/user", "job-name", "a.kubernetes.io/x"])
    def test_reserved_key_is_refused_with_the_reason(self, value: str) -> None:
        """A user cannot pass for another, nor steer the cluster, by a label."""
        assert refusals(fields.Key, value) == [RESERVED]


class TestClaim:
    """A volume."""

    def test_named(self) -> None:
        """An existing claim, at a path."""
        found = fields.Claim.model_validate({"path": "/a", "name": "b", "readOnly": True})

        assert (found.path, found.name, found.size, found.read_only) == ("/a", "b", None, True)
        assert found.storage_class is None

    @pytest.mark.parametrize(
        "value",
        [
            {"name": "b"},
            {"path": "/a", "name": "../b"},
            {"path": "/a", "size": "0"},
            {"path": "/a", "name": "b", "read_only": True},
            {"path": "/a", "name": "b", "readOnly": 1},
            {"path": "/a", "name": "b", "hostPath": "/etc"},
            {"path": "/a", "name": "b", "subPath": "../.."},
        ],
    )
    def test_anything_else_is_refused(self, value: object) -> None:
        """No path of the node, no unknown field, no Python spelling."""
        assert refusals(fields.Claim, value)


class TestRetry:
    """Which failures are tried again."""

    @pytest.mark.parametrize("value", [{"exitCodes": [1, 255]}, {"exitCodes": [7] * 255}, {"ignoreDisruptions": True}])
    def test_says_something(self, value: object) -> None:
        """Codes, or what is not counted, or both."""
        assert fields.Retry.model_validate(value).model_dump(by_alias=True, exclude_defaults=True)

    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"ignoreDisruptions": False},
            {"exitCodes": []},
            {"exitCodes": [0]},
            {"exitCodes": [256]},
            {"exitCodes": [True]},
            {"exitCodes": [1] * 256},
            {"ignoreDisruptions": "true"},
        ],
    )
    def test_anything_else_is_refused(self, value: object) -> None:
        """Success is no failure, and a rule that says nothing is a mistake."""
        assert refusals(fields.Retry, value)
