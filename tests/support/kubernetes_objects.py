"""A hypothesis strategy for Kubernetes objects, built from the types that the API decodes, with unusual values."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec
from hypothesis import strategies as st

from chalicelib.domain.kubernetes import lenient_decoding

WORDS = [
    "",
    "True",
    "False",
    "Unknown",
    "Complete",
    "Failed",
    "Running",
    "Pending",
    "Succeeded",
    "PodScheduled",
    "ContainerCreating",
    "nvidia.com/gpu",
    "researcher.dev/type",
    "uid",
    "4",
]
"""Strings that the code compares with, in addition to arbitrary ones."""
ODD_TIMES = ["0001-01-01T00:00:01Z", "0000-01-01T00:00:00Z", "10000-01-01T13:59:59Z", "2026-11-24T10:00:00", 5, {}]
"""Unusual times; the API server stores the first three."""
TEXTS = st.sampled_from(WORDS) | st.text(max_size=8)


def objects(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return objects of *kind*, decoded from JSON in which any field may be missing or have an unusual value."""
    return _wire(msgspec.inspect.type_info(kind)).map(
        lambda wire: lenient_decoding.decode(msgspec.json.encode(wire), kind)
    )


def _wire(kind: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case msgspec.inspect.StructType():
            return st.fixed_dictionaries({}, optional={each.encode_name: _wire(each.type) for each in kind.fields})
        case msgspec.inspect.ListType():
            return st.lists(_wire(kind.item_type), max_size=3)
        case msgspec.inspect.DictType():
            return st.dictionaries(TEXTS, _wire(kind.value_type), max_size=3)
        case msgspec.inspect.UnionType():
            return st.one_of([_wire(each) for each in kind.types])
        case msgspec.inspect.DateTimeType():
            times = st.datetimes(timezones=st.just(UTC)).map(lambda time: time.isoformat())
            return times | st.sampled_from(ODD_TIMES)
    return _scalars(kind)


def _scalars(kind: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case msgspec.inspect.IntType():
            return st.integers(-(2**31), 2**31 - 1)
        case msgspec.inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
    return TEXTS
