"""Tests of the types of fields."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.domain.submission import fields
from chalicelib.domain.submission.device_variables import DEVICE_PREFIXES, DEVICE_VARIABLES

RESERVED = "Value error, is reserved for Kubernetes, a scheduler, AWS or this API; use another key"


def validate(kind: Any, value: object) -> object:  # noqa: ANN401 - an annotated type
    """Validate *value* as *kind* and return the result."""
    return TypeAdapter(kind).validate_python(value, strict=True)


def errors_in(kind: Any, value: object) -> list[str]:  # noqa: ANN401 - an annotated type
    """Return the messages for *value*, which is not a valid *kind*."""
    with pytest.raises(ValidationError) as error:
        validate(kind, value)
    return [each["msg"] for each in error.value.errors(include_input=False)]


class TestTexts:
    """Tests of strings with a pattern."""

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            pytest.param(fields.Text, "\n", id="newline"),
            pytest.param(
                fields.Image, "localhost:5000/a_b/c.d:v1@sha256:" + "0a" * 32, id="image with all punctuation"
            ),
            pytest.param(fields.Memory, "35184372088k", id="longest memory"),
            pytest.param(fields.Memory, "32Ti", id="largest memory"),
            pytest.param(fields.VolumeSize, "64Ti", id="largest volume"),
            pytest.param(fields.AbsolutePath, "/", id="root"),
            pytest.param(fields.DnsSubdomain, "a.b-c.0", id="subdomain"),
            pytest.param(fields.LabelValue, "", id="empty label value"),
            pytest.param(fields.LabelValue, "A_b.c-0", id="label value with all punctuation"),
        ],
    )
    def test_valid(self, kind: object, value: str) -> None:
        """A valid string is unchanged."""
        assert value == validate(kind, value)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            pytest.param(fields.Text, "a\x00", id="NUL"),
            pytest.param(fields.Text, 7, id="number as string"),
            pytest.param(fields.Text, "\ud800", id="lone surrogate"),
            pytest.param(fields.NewJobName, "a.b", id="name with a dot, not a host name"),
            pytest.param(fields.NewJobName, "a\n", id="name with a newline"),
            pytest.param(fields.NewJobName, "\u0663", id="unicode digit"),
            pytest.param(fields.JobNamePrefix, "a-", id="prefix with a trailing hyphen"),
            pytest.param(fields.Image, "-v", id="image that is an option"),
            pytest.param(fields.Image, "http://a b", id="image with a space"),
            pytest.param(fields.Image, "https://me:secret@registry/x", id="image with a password"),
            pytest.param(fields.Image, "busybox@latest", id="image with an invalid digest"),
            pytest.param(fields.Memory, "1000000000000", id="memory with thirteen digits"),
            pytest.param(fields.Memory, "1gb", id="memory with an unknown unit"),
            pytest.param(fields.AbsolutePath, "a", id="relative path"),
            pytest.param(fields.AbsolutePath, "/a:b", id="path with a colon"),
            pytest.param(fields.VariableName, "1A", id="variable that begins with a digit"),
            pytest.param(fields.VariableName, "A=B", id="variable with its value"),
            pytest.param(fields.VariableName, ".", id="variable that is a dot"),
            pytest.param(fields.VariableName, "..a", id="variable that begins with two dots"),
            pytest.param(fields.Memory, "0.000Gi", id="no memory"),
            pytest.param(fields.Memory, "1Pi", id="more memory than a node has"),
            pytest.param(fields.VolumeSize, "1Pi", id="larger than a volume"),
            pytest.param(fields.DnsSubdomain, "a..b", id="empty label in a subdomain"),
            pytest.param(fields.LabelValue, "-a", id="label value that begins with punctuation"),
            pytest.param(fields.LabelValue, "a,b=c", id="label value with a selector term"),
            pytest.param(fields.NodeType, "", id="empty node type"),
        ],
    )
    def test_invalid(self, kind: object, value: object) -> None:
        """An invalid value is rejected, not truncated or converted."""
        assert errors_in(kind, value)

    @pytest.mark.parametrize(
        ("kind", "longest"),
        [
            pytest.param(fields.Text, "x" * 8192, id="text"),
            pytest.param(fields.Project, "a" * 50, id="Project"),
            pytest.param(fields.NewJobName, "a" * 52, id="name"),
            pytest.param(fields.JobNamePrefix, "a" * 40, id="prefix"),
            pytest.param(fields.AbsolutePath, "/" + "a" * 1023, id="path"),
            pytest.param(fields.VariableName, "A" * 128, id="variable"),
            pytest.param(fields.DnsLabel, "a" * 63, id="label"),
            pytest.param(fields.DnsSubdomain, "a" * 253, id="subdomain"),
            pytest.param(fields.LabelValue, "a" * 63, id="label value"),
        ],
    )
    def test_length_is_limited(self, kind: object, longest: str) -> None:
        """The limit is inclusive and counts characters."""
        assert longest == validate(kind, longest)
        assert errors_in(kind, longest + "a")


class TestBounds:
    """Tests of the limits for memory and volumes."""

    @pytest.mark.parametrize(
        ("kind", "value", "bound"),
        [
            (fields.Memory, "33Ti", "32Ti"),
            (fields.Memory, "999999999999Ti", "32Ti"),
            (fields.VolumeSize, "65Ti", "64Ti"),
            (fields.VolumeSize, "71T", "64Ti"),
        ],
    )
    def test_message(self, kind: object, value: str, bound: str) -> None:
        """The message contains the limit."""
        (message,) = errors_in(kind, value)

        assert f"must be at most {bound}" in message


class TestVariableName:
    """Tests of the names of environment variables."""

    @pytest.mark.parametrize("name", [*DEVICE_VARIABLES, *DEVICE_PREFIXES, "DOCKER_RESOURCE_GPU"])
    def test_device_variable_is_rejected(self, name: str) -> None:
        """A variable that injects devices is rejected; the message explains how to request GPUs."""
        (message,) = errors_in(fields.VariableName, name)

        assert message.endswith("devices that the Job does not request; set gpu instead")

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
    def test_other_variables(self, name: str) -> None:
        """Variables that select among the container's devices, or have a similar name, are accepted."""
        assert name == validate(fields.VariableName, name)


class TestGpus:
    """Tests of GPUs."""

    @pytest.mark.parametrize(("value", "expected"), [(0, 0), (64, 64), (1.0, 1), (8.0, 8), (-0.0, 0)])
    def test_whole_number(self, value: float, expected: int) -> None:
        """A whole number of type double, as in Run:ai's API, is converted to an integer."""
        gpus = validate(fields.Gpus, value)

        assert (expected, int) == (gpus, type(gpus))

    @pytest.mark.parametrize("value", [0.5, 1.5, float("nan"), float("inf"), float("-inf")])
    def test_fraction_is_rejected(self, value: float) -> None:
        """A fraction is not rounded; the message has the reason."""
        assert errors_in(fields.Gpus, value) == ["Value error, must be a whole number: GPUs are not shared"]

    @pytest.mark.parametrize("value", [-1, 65, -1.0, 65.0, 1e300, 10**400, True, False, "1", None, [1]])
    def test_invalid(self, value: object) -> None:
        """Numbers out of range, booleans and strings are rejected."""
        assert errors_in(fields.Gpus, value)


class TestCores:
    """Tests of cores."""

    @pytest.mark.parametrize("value", [0.001, 1, 0.5, 1024])
    def test_valid(self, value: float) -> None:
        """The range is from one millicore to the largest node."""
        assert value == validate(fields.Cores, value)

    @pytest.mark.parametrize("value", [0, 0.0009, -1, 1024.001, float("nan"), float("inf"), True, "1"])
    def test_invalid(self, value: object) -> None:
        """Numbers out of range, NaN, infinity and other types are rejected."""
        assert errors_in(fields.Cores, value)


class TestWords:
    """Tests of commands."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            pytest.param(["a b", ""], ["a b", ""], id="array"),
            pytest.param("python train.py", ["python", "train.py"], id="split at spaces"),
            pytest.param("sh -c 'a && b \"c\"'", ["sh", "-c", 'a && b "c"'], id="quoted"),
            pytest.param("a\\ b", ["a b"], id="escaped"),
            pytest.param("a '$(ID)' '$$' '$ID'", ["a", "$$(ID)", "$$$$", "$ID"], id="no expansion by Kubernetes"),
            pytest.param(["$(ID)", 1, 1e-05, True], ["$(ID)", "1", "1e-05", "true"], id="array of words"),
            pytest.param("", [], id="empty"),
        ],
    )
    def test_words(self, value: object, expected: list[str]) -> None:
        """A string is split as by a shell, and its words reach the container unchanged; an array is taken as it is."""
        assert expected == validate(fields.Words, value)

    @pytest.mark.parametrize("value", ["a 'b", "a \\"], ids=["unclosed quote", "trailing backslash"])
    def test_invalid_quoting_is_rejected(self, value: str) -> None:
        """The message has the reason."""
        assert errors_in(fields.Words, value) == [
            "Value error, must close each quote, and not end after a backslash; or be an array of words"
        ]

    @pytest.mark.parametrize("value", [["a"] * 257, "a " * 257, [[1]], 1, "a\x00", ["a", None], {"a": 1}])
    def test_invalid(self, value: object) -> None:
        """Too many arguments and other types are rejected."""
        assert errors_in(fields.Words, value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (fields.VariableName, "spring.main-class_1"),
        (fields.VariableName, "-a"),
        (fields.Memory, "1.5Gi"),
        (fields.VolumeSize, "0.5Ti"),
    ],
)
def test_what_kubernetes_accepts(kind: Any, text: str) -> None:  # noqa: ANN401 - a type
    """Variables with dots and hyphens, and fractions of memory, are valid in Kubernetes."""
    assert validate(kind, text) == text


class TestVariable:
    """Tests of the values of environment variables."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("", ""), ("x", "x"), (1, "1"), (0.5, "0.5"), (1e16, "1e+16"), (True, "true"), (False, "false")],
    )
    def test_conversion_to_string(self, value: object, expected: str) -> None:
        """Numbers and booleans become strings, as in JSON."""
        assert expected == validate(fields.Variable, value)

    def test_reference_to_a_secret(self) -> None:
        """A reference names a Secret and a key."""
        variable = validate(fields.Variable, {"secret": {"name": "hub", "key": ".token_1-A"}})

        expected = fields.SecretVariable(secret=fields.SecretKey(name="hub", key=".token_1-A"))
        assert expected == variable

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
    def test_invalid(self, value: object) -> None:
        """Other sources of values and incomplete references are rejected."""
        assert errors_in(fields.Variable, value)


class TestDuration:
    """Tests of durations."""

    @pytest.mark.parametrize("value", [1, "1", "1s", 2_592_000, "30d", "720h", "43200m", "2592000"])
    def test_valid(self, value: int | str) -> None:
        """Numbers and strings have the same limit of 30 days."""
        assert value == validate(fields.Duration, value)

    @pytest.mark.parametrize(
        "value", [0, -1, 2_592_001, "2592001", "31d", "721h", "0", "1w", "", "1h\n", 1.0, True, None, "999999999d"]
    )
    def test_invalid(self, value: object) -> None:
        """Zero, more than 30 days, fractions and other units are rejected."""
        assert errors_in(fields.Duration, value)


class TestKey:
    """Tests of the keys of labels and annotations."""

    @pytest.mark.parametrize("value", ["team", "example.com/team", f"{'a' * 253}/{'b' * 63}"])
    def test_valid(self, value: str) -> None:
        """Any valid key of Kubernetes is accepted."""
        assert value == validate(fields.Key, value)

    @pytest.mark.parametrize("value", ["", "a b", "a/b/c", "a\n", "\ud800", 7])
    def test_invalid(self, value: object) -> None:
        """Keys that Kubernetes does not accept are rejected."""
        assert errors_in(fields.Key, value)

    @pytest.mark.parametrize("value", ["researcher.dev/user", "job-name", "a.kubernetes.io/x"])
    def test_reserved_key_is_rejected(self, value: str) -> None:
        """Users cannot set the keys of the API or the cluster; the message has the reason."""
        assert errors_in(fields.Key, value) == [RESERVED]


class TestClaim:
    """Tests of volumes."""

    def test_existing_claim(self) -> None:
        """A volume can be an existing claim."""
        claim = fields.Claim.model_validate({"path": "/a", "name": "b", "readOnly": True})

        assert (claim.path, claim.name, claim.size, claim.read_only) == ("/a", "b", None, True)
        assert claim.storage_class is None

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
    def test_invalid(self, value: object) -> None:
        """Host paths, unknown fields and snake_case names are rejected."""
        assert errors_in(fields.Claim, value)


class TestRetry:
    """Tests of the retry policy."""

    @pytest.mark.parametrize("value", [{"exitCodes": [1, 255]}, {"exitCodes": [7] * 255}, {"ignoreDisruptions": True}])
    def test_valid(self, value: object) -> None:
        """A policy has exit codes, or ignores disruptions, or both."""
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
    def test_invalid(self, value: object) -> None:
        """An empty policy and exit codes out of range, such as 0, are rejected."""
        assert errors_in(fields.Retry, value)
