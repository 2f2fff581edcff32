"""Tests of quantities."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.kubernetes.quantities import (
    DURATION_PATTERN,
    MEMORY_PATTERN,
    amount,
    kubernetes_cpu,
    kubernetes_memory,
    memory_bytes,
    number,
    seconds,
)


class TestMemoryBytes:
    """Tests of memory_bytes."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1", 1),
            ("1K", 1_000),
            ("2M", 2_000_000),
            ("3G", 3_000_000_000),
            ("4T", 4_000_000_000_000),
            ("1Ki", 1024),
            ("2Mi", 2 * 1024**2),
            ("4Ti", 4 * 1024**4),
            ("1.5Gi", 3 * 2**29),
            ("0.5Gi", 2**29),
            ("1Pi", 2**50),
            ("0.001Ki", 2),
            ("999999999999Ti", 999_999_999_999 * 1024**4),
        ],
    )
    def test_unit(self, text: str, expected: int) -> None:
        """Units are those of Kubernetes, and K of Run:ai."""
        assert expected == memory_bytes(text)

    @given(st.from_regex(MEMORY_PATTERN, fullmatch=True))
    def test_any_memory_is_a_number(self, text: str) -> None:
        """Every text that matches the pattern is a number of bytes; only a fraction such as 0.0 is none."""
        assert (memory_bytes(text) >= 1) is bool(re.search(r"[1-9]", text))


class TestKubernetesMemory:
    """Tests of kubernetes_memory."""

    @pytest.mark.parametrize(
        ("text", "expected"), [("1K", "1k"), ("1k", "1k"), ("1Ki", "1Ki"), ("5", "5"), ("2M", "2M")]
    )
    def test_only_capital_k_is_converted(self, text: str, expected: str) -> None:
        """Kubernetes does not accept K."""
        assert expected == kubernetes_memory(text)

    @given(st.from_regex(MEMORY_PATTERN, fullmatch=True))
    def test_amount_is_unchanged(self, text: str) -> None:
        """The conversion does not change the number of bytes."""
        assert memory_bytes(text) == memory_bytes(kubernetes_memory(text))


class TestSeconds:
    """Tests of seconds."""

    @pytest.mark.parametrize(
        ("duration", "expected"),
        [
            (7, 7),
            ("7", 7),
            ("7s", 7),
            ("2m", 120),
            ("3h", 10_800),
            ("30d", 2_592_000),
            ("999999999d", 86_399_999_913_600),
        ],
    )
    def test_unit(self, duration: int | str, expected: int) -> None:
        """A number is in seconds, and a string can have a unit."""
        assert expected == seconds(duration)

    @given(st.from_regex(DURATION_PATTERN, fullmatch=True))
    def test_any_duration_is_positive(self, text: str) -> None:
        """Every text that matches the pattern is at least one second."""
        assert seconds(text) >= 1


class TestPatterns:
    """Tests of the patterns."""

    @pytest.mark.parametrize(
        "text",
        ["", "0", "01", "-1", "1.", ".5Gi", "1.2345Gi", "1e3", "1 Gi", "1gi", "1m", "1Ei", "\u0661Gi", "1Gi\n", "1KK"],
    )
    def test_invalid_memory(self, text: str) -> None:
        """Zero, signs, exponents, more than three decimals, other units and non-ASCII digits are invalid."""
        assert not re.fullmatch(MEMORY_PATTERN, text)

    @pytest.mark.parametrize("text", ["", "0", "01", "-1", "1.5h", "1w", "1 h", "1H", "٣h", "1h\n", "1h30m"])
    def test_invalid_duration(self, text: str) -> None:
        """Zero, fractions, signs, other units and several units are invalid."""
        assert not re.fullmatch(DURATION_PATTERN, text)


class TestKubernetesCpu:
    """Tests of kubernetes_cpu."""

    @pytest.mark.parametrize(
        ("cores", "expected"),
        [
            (1, "1"),
            (0.5, "500m"),
            (0.001, "1m"),
            (1024, "1024"),
            (0.1 + 0.2, "300m"),
        ],
    )
    def test_millicores(self, cores: float, expected: str) -> None:
        """Whole cores are written as they are, fractions in millicores."""
        assert expected == kubernetes_cpu(cores)

    @given(st.floats(0.001, 1024), st.floats(0.001, 1024))
    def test_order_is_kept(self, first: float, second: float) -> None:
        """Rounding never makes a limit lower than its request."""
        less, more = sorted((first, second))

        assert _millicores(kubernetes_cpu(less)) <= _millicores(kubernetes_cpu(more))

    @given(st.floats(0.001, 1024))
    def test_never_zero(self, cores: float) -> None:
        """No valid number of cores is rounded to zero."""
        assert _millicores(kubernetes_cpu(cores)) >= 1


def _millicores(written: str) -> int:
    return int(written[:-1]) if written.endswith("m") else int(written) * 1000


class TestAmount:
    """Tests of amount."""

    @pytest.mark.parametrize(
        ("quantity", "expected"), [("4", 4), (4, 4), ("0", 0), ("007", 7), ("2k", 2000), ("1Ki", 1024)]
    )
    def test_plain_number(self, quantity: str | float, expected: int) -> None:
        """A count can be a string or a number."""
        assert expected == amount(quantity)

    @pytest.mark.parametrize(
        "quantity",
        [
            pytest.param("", id="empty"),
            pytest.param("1.5", id="fraction"),
            pytest.param(float("nan"), id="not a number"),
            pytest.param("\u0663", id="unicode digit"),
            pytest.param("\u00b2", id="superscript, a digit that int() refuses"),
            pytest.param("1\n", id="trailing newline"),
            pytest.param("1G", id="too large"),
            pytest.param("9" * 5000, id="more digits than Python reads"),
        ],
    )
    def test_other_values_are_zero(self, quantity: str | float) -> None:
        """An invalid quantity is 0, so that it does not break a list."""
        assert amount(quantity) == 0


class TestNumber:
    """Tests of number."""

    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("16", 16),
            ("500m", 0.5),
            ("2u", 2e-6),
            ("3n", 3e-9),
            ("2k", 2000),
            ("1E", 10**18),
            ("1e3", 1000),
            ("1Ei", 2**60),
        ],
    )
    def test_units(self, quantity: str, expected: float) -> None:
        """Decimal and binary units are those of Kubernetes."""
        assert number(quantity) == pytest.approx(expected)

    @pytest.mark.parametrize("quantity", ["", "x", "-1", "1K", "1 ", "1\n", "9" * 21, "1e999", "NaN", "1.", ".5"])
    def test_invalid_quantity(self, quantity: str) -> None:
        """An invalid quantity is None."""
        assert number(quantity) is None
