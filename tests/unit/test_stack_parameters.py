"""The file of a stack's parameters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.packaging.stack_parameters import ParametersError, read_parameters

if TYPE_CHECKING:
    from pathlib import Path


class TestFiles:
    """The file of the parameters."""

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("p.json", b"{", "p.json cannot be read: a syntax error in line 1."),
            ("p.yaml", b"A: b\nClusterExternalId: [secret", "p.yaml cannot be read: a syntax error in line 2."),
            ("p.yaml", b"A: \xff secret", "p.yaml cannot be read"),
            ("p.yaml", b"A: 1\nA: secret", "A: given more than once."),
            ("p.json", b'{"A": 1, "A": "secret"}', "A: given more than once."),
            ("p.yaml", b"? [a]\n: secret", "A name of a parameter must be a string."),
            ("p.yaml", b"A: 1\n---\nA: secret", "p.yaml cannot be read"),
            ("p.json", b'{"A": null}', "p.json: A must be a string"),
        ],
        ids=["cut off", "bracket", "encoding", "twice", "twice in JSON", "list as a name", "two documents", "null"],
    )
    def test_unreadable_ones_are_refused(self, tmp_path: Path, name: str, content: bytes, message: str) -> None:
        """The error names the file and the line, or the parameter, and never a value."""
        (tmp_path / name).write_bytes(content)

        with pytest.raises(ParametersError) as caught:
            read_parameters(tmp_path / name)

        assert message in str(caught.value)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("name", "start"), [("p.json", b"\xef\xbb\xbf"), ("p.yaml", b"\xef\xbb\xbf# c\n"), ("p.yml", b"")]
    )
    def test_values_are_texts(self, tmp_path: Path, name: str, start: bytes) -> None:
        """What YAML takes for booleans and numbers stays as it is written, also behind a byte order mark."""
        values = {"Preflight": "on", "ClusterExternalId": "0010e5", "CleanupDryRun": "no", "SubnetIds": ["a", "b"]}
        text = "Preflight: on\nClusterExternalId: 0010e5\nCleanupDryRun: no\nSubnetIds: [a, b]"
        (tmp_path / name).write_bytes(start + (json.dumps(values) if name == "p.json" else text).encode())

        assert read_parameters(tmp_path / name) == values | {"SubnetIds": "a,b"}
