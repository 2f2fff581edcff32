"""A Kubernetes object together with the reason why it is there."""

from __future__ import annotations

from typing import NamedTuple

import yaml

Manifest = dict[str, object]
"""A Kubernetes object as JSON."""


class CommentedManifest(NamedTuple):
    """A manifest and why it is there."""

    why: str
    manifest: Manifest

    def as_yaml(self) -> str:
        """One document of a YAML stream, under its reason."""
        return f"---\n# {self.why}\n{yaml.safe_dump(self.manifest, sort_keys=False)}"


def commented(why: str, kind: str, metadata: Manifest, **fields: object) -> CommentedManifest:
    """The object of *kind*, such as `batch/v1/Job`, that is there because of *why*."""
    api_version, _, name = kind.rpartition("/")
    return CommentedManifest(why, {"apiVersion": api_version, "kind": name, "metadata": metadata, **fields})
