"""Quantities: memory, cores, durations, counts."""

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
    """How many bytes a text means."""

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
            ("999999999999Ti", 999_999_999_999 * 1024**4),
        ],
    )
    def test_unit(self, text: str, expected: int) -> None:
        """Units are Kubernetes', and Run:ai's K."""
        assert expected == memory_bytes(text)

    @given(st.from_regex(MEMORY_PATTERN, fullmatch=True))
    def test_every_memory_is_some_bytes(self, text: str) -> None:
        """Whatever the pattern takes can be counted, and is more than nothing."""
        assert memory_bytes(text) >= 1


class TestKubernetesMemory:
    """Memory as Kubernetes writes it."""

    @pytest.mark.parametrize(
        ("text", "expected"), [("1K", "1k"), ("1k", "1k"), ("1Ki", "1Ki"), ("5", "5"), ("2M", "2M")]
    )
    def test_only_the_capital_k_changes(self, text: str, expected: str) -> None:
        """Kubernetes refuses K."""
        assert expected == kubernetes_memory(text)

    @given(st.from_regex(MEMORY_PATTERN, fullmatch=True))
    def test_amount_stays(self, text: str) -> None:
        """Writing it anew does not change how much it is."""
        assert memory_bytes(text) == memory_bytes(kubernetes_memory(text))


class TestSeconds:
    """How many seconds a duration means."""

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
        """A number is seconds; a text may have a unit."""
        assert expected == seconds(duration)

    @given(st.from_regex(DURATION_PATTERN, fullmatch=True))
    def test_every_duration_is_some_seconds(self, text: str) -> None:
        """Whatever the pattern takes can be counted, and is more than nothing."""
        assert seconds(text) >= 1


class TestPatterns:
    """What is a quantity at all."""

    @pytest.mark.parametrize(
        "text", ["", "0", "01", "-1", "1.5", "1e3", "1 Gi", "1gi", "1m", "1Pi", "\u0661Gi", "1Gi\n", "1KK"]
    )
    def test_no_memory(self, text: str) -> None:
        """Nothing, zero, fractions, signs, other units and other scripts are not memory."""
        assert not re.fullmatch(MEMORY_PATTERN, text)

    @pytest.mark.parametrize("text", ["", "0", "01", "-1", "1.5h", "1w", "1 h", "1H", "٣h", "1h\n", "1h30m"])
    def test_no_duration(self, text: str) -> None:
        """As memory; and only one unit."""
        assert not re.fullmatch(DURATION_PATTERN, text)


class TestKubernetesCpu:
    """Cores as Kubernetes writes them."""

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
    def test_thousandths(self, cores: float, expected: str) -> None:
        """Whole cores stay whole, parts are thousandths."""
        assert expected == kubernetes_cpu(cores)

    @given(st.floats(0.001, 1024), st.floats(0.001, 1024))
    def test_order_is_kept(self, one: float, other: float) -> None:
        """A limit that is not below its request is not below it as Kubernetes reads them."""
        less, more = sorted((one, other))

        assert _thousandths(kubernetes_cpu(less)) <= _thousandths(kubernetes_cpu(more))

    @given(st.floats(0.001, 1024))
    def test_never_nothing(self, cores: float) -> None:
        """No cores that may be asked for round to zero."""
        assert _thousandths(kubernetes_cpu(cores)) >= 1


def _thousandths(written: str) -> int:
    return int(written[:-1]) if written.endswith("m") else int(written) * 1000


class TestAmount:
    """A count the cluster gave."""

    @pytest.mark.parametrize(
        ("quantity", "expected"), [("4", 4), (4, 4), ("0", 0), ("007", 7), ("2k", 2000), ("1Ki", 1024)]
    )
    def test_plain_number(self, quantity: str | float, expected: int) -> None:
        """GPUs are counted, as text or as a number."""
        assert expected == amount(quantity)

    @pytest.mark.parametrize(
        "quantity",
        [
            pytest.param("", id="nothing"),
            pytest.param("1.5", id="fraction"),
            pytest.param(float("nan"), id="not a number"),
            pytest.param("\u0663", id="unicode digit"),
            pytest.param("\u00b2", id="superscript, a digit that int() refuses"),
            pytest.param("1\n", id="trailing newline"),
            pytest.param("1G", id="more than there are"),
            pytest.param("9" * 5000, id="more digits than Python reads"),
        ],
    )
    def test_anything_else_is_none(self, quantity: str | float) -> None:
        """An odd quantity counts as none: it must not break a list."""
        assert amount(quantity) == 0


class TestNumber:
    """Quantities that the cluster writes."""

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
    def test_is_what_it_means(self, quantity: str, expected: float) -> None:
        """Decimal and binary units, as Kubernetes has them."""
        assert number(quantity) == pytest.approx(expected)

    @pytest.mark.parametrize("quantity", ["", "x", "-1", "1K", "1 ", "1\n", "9" * 21, "1e999", "NaN", "1.", ".5"])
    def test_what_is_none_has_none(self, quantity: str) -> None:
        """Nobody reckons with it."""
        assert number(quantity) is None
