"""YAML as it is written: numbers keep their text, dates stay text, and duplicate keys and aliases are refused."""

from __future__ import annotations

from typing import Any

import yaml

from researcher.submission import WrittenFloat, WrittenInt


class ExactLoader(yaml.SafeLoader):
    """The safe loader, without what makes a file mean something else than it says."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - PyYAML's own
        """Refuse aliases, with which a few lines can become gigabytes."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # PyYAML has no types here
            raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse duplicate keys."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                problem = f"the key {name} is there more than once"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


def _construct_float(loader: ExactLoader, node: yaml.ScalarNode) -> float:
    value = WrittenFloat(str(loader.construct_yaml_float(node)))
    value.text = str(node.value)
    return value


def _construct_int(loader: ExactLoader, node: yaml.ScalarNode) -> int:
    value = WrittenInt(loader.construct_yaml_int(node))
    value.text = str(node.value)
    return value


ExactLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
ExactLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)
ExactLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
