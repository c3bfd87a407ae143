"""What is made of a dbt project before dbt is asked to build it; no dbt is needed."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from consumption_datamart.dbt import projects
from consumption_datamart.dbt.nodes import Nodes
from consumption_datamart.dbt.policies import MetaError, condition_of
from consumption_datamart.dbt.profile import connection
from consumption_datamart.dbt.projects import Project, ProjectError
from consumption_datamart.dbt.schedules import cadences_of
from consumption_datamart.definitions import build_definitions
from consumption_datamart.errors import DatamartError
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli

SCHEMAS = ["lake", "mart"]
PROJECT = """
name: shop
models:
  shop:
    +meta: {dagster: {owners: [team:shop], policy: eager}}
    marts:
      +meta: {dagster: {auto_materialize_policy: {type: eager}, group: marts}}
"""


def node(name: str, *folders: str, **more: Any) -> dict[str, Any]:
    """A model as a manifest has it."""
    kind = more.pop("resource_type", "model")
    return {
        "resource_type": kind,
        "name": name,
        "alias": name,
        "schema": "shop",
        "package_name": "shop",
        "fqn": ["shop", *folders, name],
        "tags": [],
        "config": {"materialized": "table", "meta": more.pop("meta", {})},
        "original_file_path": f"models/{name}.sql",
        "patch_path": "shop://models/models.yml",
        "raw_code": "select 1",
        **more,
    }


def source(schema: str, identifier: str) -> dict[str, Any]:
    """A source as a manifest has it."""
    return {"schema": schema, "identifier": identifier, "source_name": "any", "name": "other"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a project."""
    made = tmp_path / "shop"
    made.mkdir()
    (made / "dbt_project.yml").write_text(PROJECT)
    return made


def project(folder: Path, url: str = "duckdb:///nowhere/m.duckdb") -> Project:
    """The project, that reads a warehouse."""
    return Project(folder, connection(open_warehouse(url), SCHEMAS))


def nodes(folder: Path, *models: dict[str, Any], **sources: dict[str, Any]) -> Nodes:
    """The project, as dbt might have read it."""
    manifest = {"nodes": {each["name"]: each for each in models}, "sources": sources}
    return Nodes(project(folder), manifest)


def test_a_model_is_called_by_its_project_and_its_name(folder: Path) -> None:
    found = nodes(
        folder,
        node("orders"),
        node("twice", version=2),
        node("own", meta={"dagster": {"asset_key": ["else", "where"]}}),
        node("of_package", package_name="utils"),
        node("in_between", config={"materialized": "ephemeral"}),
        node("not_null", resource_type="test"),
    )
    assert [key.to_user_string() for key in found.keys.values()] == [
        "shop/orders",
        "shop/twice_v2",
        "else/where",
        "shop/utils/of_package",
    ]


def test_a_source_is_whatever_asset_its_table_is(folder: Path) -> None:
    found = nodes(
        folder,
        of_mart=source("MART", "dim_day"),
        of_other=source("other", "orders"),
        unknown=source("erp", "lines"),
        wrong=source("mart", "dim_dya"),
    )
    known = {
        ("mart", "dim_day"): dg.AssetKey(["mart", "dim_day"]),
        ("other", "orders"): dg.AssetKey(["theirs", "orders"]),
    }
    assert {name: key.to_user_string() for name, key in found.sources(known).items()} == {
        "of_mart": "mart/dim_day",
        "of_other": "theirs/orders",
        "unknown": "any/other",
        "wrong": "any/other",
    }
    assert list(found.strangers(["mart"], known)) == ["mart.dim_dya"]


@pytest.mark.parametrize(
    ("folders", "meta", "label"),
    [
        ((), {}, "eager"),
        (("marts",), {}, "eager"),
        (("marts",), {"dagster": {"policy": "at_most_every(30)"}}, "at_most_every(30)"),
        ((), {"dagster": {"group": "other"}}, "eager"),
        ((), {"dagster": {"policy": "manual"}}, None),
    ],
)
def test_a_model_has_the_policy_that_it_or_the_folder_next_above_it_says(
    folders: tuple[str, ...], meta: dict[str, Any], label: str | None, folder: Path
) -> None:
    model = node("orders", *folders, meta=meta)
    found = nodes(folder, model)
    condition = condition_of(found, model, 5)
    assert (condition and condition.get_label()) == label
    assert found.said(model)["owners"] == ["team:shop"]


def test_a_mistake_in_a_policy_names_project_file_and_model(folder: Path) -> None:
    model = node("orders", meta={"dagster": {"policy": "hourly"}})
    with pytest.raises(MetaError) as error:
        condition_of(nodes(folder, model), model, 5)
    assert str(error.value).startswith(
        "dbt project shop: models/models.yml: orders: meta.dagster.policy: hourly: there is no such"
        " policy; there are eager, at_most_every(minutes)"
    )
    in_sql = "{{ config(meta={'dagster': {'policy': 5}}) }} select 1"
    model = node("orders", meta={"dagster": {"policy": 5}}, raw_code=in_sql)
    with pytest.raises(
        MetaError, match=r"models/orders\.sql: orders: .* 5 is no text; write it as"
    ):
        condition_of(nodes(folder, model), model, 5)
    lazy = {"dagster": {"auto_materialize_policy": {"type": "lazy"}}}
    (folder / "dbt_project.yml").write_text(PROJECT.replace("eager}, group", "lazy}, group"))
    model = node("orders", "marts", meta=lazy | {"dagster": lazy["dagster"] | {"group": "marts"}})
    with pytest.raises(MetaError, match=r"dbt_project\.yml: orders: .*write \{type: eager\}, or a"):
        condition_of(nodes(folder, model), model, 5)


def test_it_is_parsed_anew_only_when_a_file_of_it_has_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[Path] = []

    def parse(_: Project, file: Path) -> None:
        parsed.append(file)
        file.write_text(json.dumps({"number": len(parsed)}))

    monkeypatch.setattr(Project, "_parse", parse)
    assert project(folder).manifest() == ({"number": 1}, None)
    assert project(folder).manifest() == ({"number": 1}, None)
    (folder / "models.yml").write_text("models: []")
    assert project(folder).manifest() == ({"number": 2}, None)
    (folder / "models.yml").unlink()
    assert project(folder).manifest() == ({"number": 1}, None)
    parsed[0].write_text("{")  # half written
    assert project(folder, "duckdb:///else/m.duckdb").manifest() == ({"number": 3}, None)

    def fail(_: Project, file: Path) -> None:
        raise ProjectError("dbt project shop: no such model")

    monkeypatch.setattr(Project, "_parse", fail)
    (folder / "models.yml").write_text("models: [")
    manifest, problem = project(folder).manifest()
    assert manifest["number"] in (2, 3)
    assert problem == "dbt project shop: no such model; its assets are as they were before"


@pytest.mark.parametrize("text", ["{}", "[]", '{"nodes": {"a": {}}}', "1"])
def test_a_manifest_that_is_none_is_told(
    text: str, folder: Path, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Project, "_parse", lambda _, file: file.write_text(text))
    url = f"duckdb://{tmp_path}/m.duckdb"
    found = build_definitions(lake=str(lake), warehouse=url, dbt_projects=str(folder))
    (told,) = [spec for spec in found.resolve_all_asset_specs() if spec.group_name == "dbt"]
    assert told.description.startswith("**Wrong**: dbt project shop: ")


def test_cadences_are_a_line_of_settings(folder: Path) -> None:
    found = [nodes(folder)]
    told = "shop=hourly+daily, other=daily, shop=dayly, shop"
    cadences, problems = cadences_of(Settings(dbt_schedules=told), found)
    assert cadences == {"shop": ["hourly", "daily"]}
    assert [each.split(": ", 1)[1] for each in problems] == [
        "other: there is no such dbt project, or it cannot be loaded; there are shop",
        *[
            f"{word!r} is no project and its cadences; write project=hourly+daily, of hourly,"
            " daily, weekly, monthly"
            for word in ("shop=dayly", "shop")
        ],
    ]


def test_sqlite_is_not_for_dbt() -> None:
    with pytest.raises(DatamartError, match="dbt reads a mart on DuckDB or PostgreSQL"):
        connection(open_warehouse("sqlite:///m.sqlite"), SCHEMAS)


def test_without_dbt_the_code_location_is_there_and_says_what_is_wrong(
    folder: Path, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects.sys, "executable", str(tmp_path / "bin" / "python"))
    where = f"{folder}, {tmp_path}/nowhere"
    url = f"duckdb://{tmp_path}/m.duckdb"
    found = build_definitions(lake=str(lake), warehouse=url, dbt_projects=where)
    told = {
        spec.key.to_user_string(): spec.description
        for spec in found.resolve_all_asset_specs()
        if spec.group_name == "dbt"
    }
    missing = "dbt is not installed: pip install 'consumption-datamart[dbt]'"
    assert told["dbt/shop"].startswith(f"**Wrong**: {missing}")
    assert "No such file or directory" in told["dbt/nowhere"]
    assert dg.AssetKey(["mart", "dim_day"]) in found.resolve_asset_graph().get_all_asset_keys()

    monkeypatch.setenv("CONSUMPTION_DATAMART_DBT_PROJECTS", where)
    ended = cli.run("config", "validate", "--lake", lake, "--warehouse", url)
    assert ended.code == 1
    assert f"Wrong: dbt: {missing}" in ended.err
    assert "name the folder of a dbt project" in ended.err
