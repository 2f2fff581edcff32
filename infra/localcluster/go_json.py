"""JSON as Go's encoder writes it; its escapes can make an object several times larger than it was sent."""

from __future__ import annotations

import json
import re

_ESCAPED = "<>&\u2028\u2029"
_SURROGATES = re.compile("[\ud800-\udfff]")


def encode(document: object) -> bytes:
    """Encode *document* with `SetEscapeHTML`, which is the default of encoding/json."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for character in _ESCAPED:
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text).encode()
