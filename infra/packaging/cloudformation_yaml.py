"""A loader for CloudFormation's YAML, with its short forms: `!Ref X` is `{"Ref": "X"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

JsonObject = dict[str, Any]


class CloudFormationYaml(yaml.SafeLoader):
    """A YAML loader whose tags are CloudFormation's intrinsic functions."""

    def intrinsic(self, name: str, node: yaml.Node) -> JsonObject:
        """Return the long form."""
        return {name if name in {"Ref", "Condition"} else f"Fn::{name}": self._value(name, node)}

    def _value(self, name: str, node: yaml.Node) -> object:
        if isinstance(node, yaml.ScalarNode):
            text = str(self.construct_scalar(node))
            return text.split(".", 1) if name == "GetAtt" else text
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return self.construct_mapping(node, deep=True)  # type: ignore[arg-type] # the third kind of node


CloudFormationYaml.add_multi_constructor("!", CloudFormationYaml.intrinsic)


def load_cloudformation(path: Path) -> JsonObject:
    """Return the object in the file *path*, with each short form written out."""
    loaded: JsonObject = CloudFormationYaml(path.read_text(encoding="utf-8")).get_single_data()
    return loaded
