"""Tests of amounts."""

from __future__ import annotations

import pytest

from chalicelib.domain.kubernetes.quantities import kubernetes_memory, memory_bytes
from chalicelib.domain.submission.amounts import cores_without_unit, memory_with_unit
from tests.support.builders import submission


class TestMemory:
    """Memory and volumes."""

    @pytest.mark.parametrize(
        ("text", "kubernetes"),
        [
            ("1.5Gi", "1.5Gi"),
            ("64G", "64G"),
            ("64GiB", "64Gi"),
            ("512MiB", "512Mi"),
            ("64K", "64k"),
            ("64k", "64k"),
            ("68719476736", "68719476736"),
        ],
    )
    def test_certain_meaning(self, text: str, kubernetes: str) -> None:
        """Kubernetes' units, their binary long names and whole bytes are accepted."""
        assert (memory_with_unit(text), submission(memory=text).max_memory) == (text, text)
        assert kubernetes_memory(text) == kubernetes
        assert memory_bytes(text) == memory_bytes(kubernetes)

    @pytest.mark.parametrize(
        "value",
        [
            *("64GB", "64Gb", "64gb", "64gi", "64g", "64 Gi", "64 GB", "64", "64.0", "", "Gi", "-1Gi", "1e9", "1,5Gi"),
            *("512m", "01Gi", ".5Gi", "1.2345Gi", "64kiB", "1Ei", "lots"),
        ],
    )
    def test_uncertain_meaning(self, value: str) -> None:
        """GB can mean GiB, and a small number any unit: the message has the forms to use."""
        with pytest.raises(
            ValueError, match=r'^must be a number with a unit, "64Gi" \(binary, GiB\) or "64G" \(decimal, GB\)'
        ):
            memory_with_unit(value)

    @pytest.mark.parametrize("value", [64, 1.5, 0, -1, 68719476736])
    def test_number(self, value: float) -> None:
        """A number has no unit."""
        with pytest.raises(ValueError, match=r'^must be a string with a unit, "64Gi"'):
            memory_with_unit(value)

    @pytest.mark.parametrize("value", [True, None, ["64Gi"]])
    def test_other_types(self, value: object) -> None:
        """Other types have messages of their own."""
        assert memory_with_unit(value) is value


class TestCores:
    """CPU."""

    @pytest.mark.parametrize("value", ["500m", "0.5m"])
    def test_millicores(self, value: str) -> None:
        """The message for Kubernetes' millicores has the form to use."""
        with pytest.raises(ValueError, match=r"^must be a number of cores: 0\.5, not 500m$"):
            cores_without_unit(value)

    @pytest.mark.parametrize("value", [0.5, "0.5", "m", None])
    def test_other_values(self, value: object) -> None:
        """All other values are unchanged."""
        assert cores_without_unit(value) is value
