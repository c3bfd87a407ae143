"""Settings of environments: which value counts, where it comes from, and whether it works."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.settings import PROJECT_DIR, load_settings
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, invoice, write_dump
from consumption_datamart_tests.mart import ONLY_LOADED


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of settings files; the environment is that of `shop.toml`."""
    monkeypatch.setenv("CONSUMPTION_DATAMART_SETTINGS", str(tmp_path))
    monkeypatch.setenv("CONSUMPTION_DATAMART_ENV", "shop")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def shown(*arguments: str) -> dict[str, tuple[object, str]]:
    """Value and origin of each setting, as the command has them."""
    ended = cli.run("config", "show", "--format", "json", *arguments)
    assert (ended.code, ended.err) == (0, "")
    return {row["setting"]: (row["value"], row["from"]) for row in json.loads(ended.out)}


def test_a_setting_is_that_of_the_command_the_environment_the_file_or_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "shop.toml"
    file.write_text('refresh_minutes = 9\nload_attempts = 4\nwarehouse = "duckdb://a.duckdb"\n')
    monkeypatch.setenv("CONSUMPTION_DATAMART_LOAD_ATTEMPTS", "5")
    found = shown("--warehouse", "sqlite://b.sqlite")
    assert found["warehouse"] == ("sqlite://b.sqlite", "the command")
    assert found["load_attempts"] == (5, "CONSUMPTION_DATAMART_LOAD_ATTEMPTS")
    assert found["refresh_minutes"] == (9, str(file))
    assert found["memory_limit"] == ("1GB", "default")
    assert load_settings().warehouse == "duckdb://a.duckdb"
    out = cli.run("config", "show").out
    assert "refresh_minutes         9" in out
    assert "CONSUMPTION_DATAMART_LOAD_ATTEMPTS" in out


def test_a_password_is_not_shown(folder: Path) -> None:
    (folder / "shop.toml").write_text('warehouse = "postgres://me:secret@host/db"\n')
    assert shown()["warehouse"][0] == "postgres://me:***@host/db"
    assert "secret" not in cli.run("config", "show").out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("refresh_minuts = 9", "refresh_minuts: there is no such setting; did you mean refresh_m"),
        ('warehouse_password = "s"', "warehouse_password: a password has no place in a file"),
        ('load_attempts = "many"', "load_attempts = 'many': Input should be a valid integer"),
        ("load_attempts =", "this is no TOML"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_name(text: str, told: str, folder: Path) -> None:
    file = folder / "shop.toml"
    file.write_text(text)
    ended = cli.run("slo")
    assert ended.code == 1
    assert ended.err.startswith(f"Error: {file}: {told}")
    assert ended.err.count("\n") == 1


def test_an_environment_without_a_file_is_told(folder: Path) -> None:
    (folder / "other.toml").write_text("")
    ended = cli.run("build")
    assert ended.code == 1
    assert f"CONSUMPTION_DATAMART_ENV=shop: there is no {folder}/shop.toml" in ended.err
    assert "environments there: other" in ended.err


@pytest.mark.parametrize("name", ["development", "staging", "production"])
def test_the_files_of_the_project_are_read_by_the_code_location(
    name: str, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {each.stem for each in (PROJECT_DIR / "settings").glob("*")} >= {name}
    monkeypatch.setenv("CONSUMPTION_DATAMART_ENV", name)
    assert shown()["refresh_minutes"][0] == (1 if name == "development" else 5)
    assert build_definitions(lake=str(lake)).resolve_asset_graph()


@pytest.fixture
def port() -> Iterator[int]:
    """At which somebody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


ROUTES = """
[[route]]
name = "chat"
kind = "slack"
url = "${{CHAT}}"

[[route]]
name = "mail"
kind = "email"
host = "127.0.0.1"
port = 1
sender = "mart@example.org"
recipients = ["us@example.org"]

[[route]]
name = "pager"
kind = "webhook"
url = "http://127.0.0.1:{port}/"
headers = {{ Authorization = "Bearer ${{PAGER}}" }}
"""


@ONLY_LOADED
def test_what_does_not_work_is_told_and_what_does(
    lake: Path, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"duckdb://{tmp_path}/m.duckdb"
    monkeypatch.setenv("CONSUMPTION_DATAMART_ALERTS_FILE", str(tmp_path / "alerts.toml"))
    monkeypatch.setenv("CONSUMPTION_DATAMART_PAGE", str(tmp_path / "none" / "page"))
    arguments = ["config", "validate", "--lake", lake, "--warehouse", url]
    ended = cli.run(*arguments)
    assert ended.code == 1
    assert f"warehouse: {url}: nothing was built yet" in ended.out
    assert "alerts go to the log" in ended.out
    assert "Wrong: lake:" in ended.err
    assert f"Wrong: page: {tmp_path}/none: there is no such folder" in ended.err

    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    assert cli.run("build", "--lake", lake, "--warehouse", url).code == 0
    (tmp_path / "none").mkdir()
    (tmp_path / "alerts.toml").write_text(ROUTES.format(port=port))
    monkeypatch.setenv("CHAT", f"http://127.0.0.1:{port}/T0/B0")
    ended = cli.run(*arguments)
    assert f"lake: {lake}: dumps of 1 days, 2026-01-01" in ended.out
    assert "tables, as of 20" in ended.out
    assert f"route chat: 127.0.0.1:{port} answers" in ended.out
    mail, pager = ended.err.splitlines()
    assert mail.startswith("Wrong: route mail: 127.0.0.1:1 does not answer")
    assert pager == "Wrong: route pager: the variable PAGER is not set, which a secret comes from"
    assert ended.code == 1

    (tmp_path / "alerts.toml").write_text("[[rout]]")
    assert f"Wrong: alerts: {tmp_path}/alerts.toml: rout: Extra" in cli.run(*arguments).err
    (tmp_path / "alerts.toml").unlink()
    assert cli.run(*arguments).code == 0
