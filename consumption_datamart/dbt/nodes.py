"""What a manifest says of its models: the keys of their assets, and what they say to Dagster."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import dagster as dg

from consumption_datamart.dbt.projects import FILE, Project

ASSETS = ("model", "seed", "snapshot")
Relation = tuple[str, str]
"""Schema and name of a table, in small letters."""


@dataclass(frozen=True)
class Nodes:
    """The models, seeds and snapshots of a project.

    Attributes:
        project: whose they are.
        manifest: that dbt has made.
        problem: why it is not the one of its files as they are now; None: it is.
    """

    project: Project
    manifest: Mapping[str, Any] = field(repr=False)
    problem: str | None = None

    @cached_property
    def assets(self) -> Mapping[str, Mapping[str, Any]]:
        """Those that become assets, by dbt's id."""
        return {
            unique_id: node
            for unique_id, node in self.manifest["nodes"].items()
            if node["resource_type"] in ASSETS
            and node.get("config", {}).get("materialized") != "ephemeral"
        }

    @cached_property
    def keys(self) -> Mapping[str, dg.AssetKey]:
        """The asset's key of each: project and name, or the one that it says."""
        return {unique_id: self._key(node) for unique_id, node in self.assets.items()}

    @property
    def relations(self) -> Mapping[Relation, dg.AssetKey]:
        """The key of each by the table that it is."""
        return {_relation(self.assets[each], "alias"): key for each, key in self.keys.items()}

    def sources(self, known: Mapping[Relation, dg.AssetKey]) -> dict[str, dg.AssetKey]:
        """The keys of its sources: what is known by its table, or `source/table`."""
        return {
            unique_id: known.get(
                _relation(node, "identifier"), dg.AssetKey([node["source_name"], node["name"]])
            )
            for unique_id, node in self.manifest["sources"].items()
        }

    def strangers(
        self, schemas: Collection[str], known: Mapping[Relation, dg.AssetKey]
    ) -> Iterator[str]:
        """Sources in the schemas of the mart that are none of its tables, as `schema.table`."""
        for node in self.manifest["sources"].values():
            relation = _relation(node, "identifier")
            if relation[0] in schemas and relation not in known:
                yield ".".join(relation)

    def said(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in `meta.dagster` of its folders and of the node itself.

        dbt lets a model's `dagster` replace a folder's; here it adds to it.
        """
        found: dict[str, Any] = {}
        for each in (*self._of_folders(node), node.get("config", {}).get("meta")):
            own = each.get("dagster") if isinstance(each, dict) else None
            if isinstance(own, dict):
                if {"policy", "auto_materialize_policy"} & own.keys():
                    found = {k: v for k, v in found.items() if "policy" not in k}
                found |= own
        return found

    def file_of(self, node: Mapping[str, Any], word: str) -> str:
        """The file in which a node, or a folder above it, says a word to Dagster."""
        if word in node.get("raw_code", "") and "config(" in node.get("raw_code", ""):
            return str(node["original_file_path"])
        folders = [each.get("dagster") for each in self._of_folders(node)]
        own = node.get("config", {}).get("meta", {}).get("dagster")
        patch = str(node.get("patch_path") or "").partition("://")[2]
        return FILE if not patch or own in folders else patch

    def _of_folders(self, node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        level: Any = self.project.said.get(f"{node['resource_type']}s")
        for part in (None, *node["fqn"]):
            level = level.get(part) if part is not None and isinstance(level, dict) else level
            if not isinstance(level, dict):
                return
            meta = level.get("+meta", level.get("meta"))
            if isinstance(meta, dict):
                yield meta

    def _key(self, node: Mapping[str, Any]) -> dg.AssetKey:
        said = self.said(node).get("asset_key")
        if isinstance(said, list) and said and all(isinstance(part, str) for part in said):
            return dg.AssetKey(said)
        package = node["package_name"]
        within = [] if package == self.project.name else [package]
        version = f"_v{node['version']}" if node.get("version") else ""
        return dg.AssetKey([self.project.name, *within, f"{node['name']}{version}"])


def _relation(node: Mapping[str, Any], name: str) -> Relation:
    return node["schema"].lower(), node[name].lower()
