"""What is deployed: the compose file, the image and the command are what they should be."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dagster._core.instance.config import dagster_instance_config

from consumption_datamart_tests.compose_processes import PROJECT, parsed

DEPLOY = PROJECT / "deploy"
EVERYTHING = {"COMPOSE_PROFILES": "warehouse,oidc"}
SAID = parsed(DEPLOY / "compose.yaml", EVERYTHING)
SERVICES: dict[str, dict[str, Any]] = SAID["services"]
OWN = {name for name, each in SERVICES.items() if each["image"].startswith("consumption-datamart")}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY|CREDENTIAL", re.IGNORECASE)
PASSWORD = "a long enough password"


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """The folder, as after a clone."""
    ignored = shutil.ignore_patterns("secrets", ".env", "backups", "lake")
    return Path(shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=ignored))


NO_DOCKER = "echo docker was called >&2; exit 3"
DOCKER = """echo "$* ($MART_VERSION)" >> docker.log
case "$*" in
  "image inspect --format"*:well) cat well ;;
  "image inspect --format"*) cat taken ;;
  "image inspect "*) ;;
  *dagster-graphql*) echo '"count": 0' ;;
  *"up --detach"*) [ ! -e broken ] ;;
  *" test -e "*) echo yes ;;
esac
"""
"""Answers of Docker to `upgrade`; it has written what it was asked, and of which version."""


def mart(
    deploy: Path, *arguments: str, text: str = "", docker_does: str = NO_DOCKER
) -> subprocess.CompletedProcess[str]:
    """The command, with a script in place of Docker."""
    (deploy / "no").mkdir(exist_ok=True)
    docker = deploy / "no" / "docker"
    docker.write_text(f"#!/bin/sh\n{docker_does}\n")
    docker.chmod(0o755)
    return subprocess.run(
        [str(deploy / "mart"), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{docker.parent}:{os.environ['PATH']}"},
    )


def set_up(deploy: Path) -> None:
    """With all that it does not start without."""
    mart(deploy, "setup")
    for name in ("tls.crt", "tls.key", "operators", "viewers"):
        (deploy / "secrets" / name).write_text("there")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_bounded_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert not re.search(r":(latest)?$", service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_little(name: str) -> None:
    service = SERVICES[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "docker.sock" not in str(service)
    if not service["image"].startswith("postgres"):  # it becomes its own user by itself
        assert service["cap_drop"] == ["ALL"]
    in_clear = {key for key in service.get("environment", {}) if SECRET.search(key)}
    assert {key for key in in_clear if key not in NO_SECRETS and not key.endswith("_FILE")} == set()


NO_SECRETS = {"OAUTH2_PROXY_COOKIE_SECURE"}


def test_secrets_are_files_without_which_nothing_starts() -> None:
    assert {each["file"] for each in SAID["secrets"].values()} == {
        f"./secrets/{name}" for name in SAID["secrets"]
    }
    used = {name for service in SERVICES.values() for name in service.get("secrets", ())}
    assert used == SAID["secrets"].keys()
    assert "/secrets/" in (DEPLOY / ".gitignore").read_text()


def test_only_the_proxy_is_reached_and_it_reaches_only_what_asks_for_no_rights() -> None:
    assert [name for name, each in SERVICES.items() if each.get("ports")] == ["proxy"]
    assert SERVICES["proxy"]["networks"] == ["front"]
    front = {name for name, each in SERVICES.items() if "front" in each["networks"]}
    assert front == {"proxy", "operator", "viewer", "metrics", "oauth2-proxy"}
    assert "--read-only" in SERVICES["viewer"]["command"]


@pytest.mark.parametrize("name", sorted(OWN))
def test_commands_are_those_of_the_image(name: str) -> None:
    here = Path(sys.executable).parent
    for words in (SERVICES[name]["command"], SERVICES[name]["healthcheck"]["test"][1:]):
        programs = [words[0], *words[1 : 1 + (words[0] == "with-secrets")]]
        for program in programs:
            assert (here / program).exists() or (DEPLOY / "bin" / program).exists(), program


def test_the_image_is_of_the_projects_own_files_and_not_roots() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    allowed = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = [line.split() for line in lines if line.startswith("COPY") and "--from" not in line]
    sources = {word for line in copied for word in line[1:-1] if not word.startswith("--")}
    for source in sources:
        assert (PROJECT / source).exists(), source
        assert any(source == each or source.startswith(f"{each}/") for each in allowed), source
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users[-1] == "10001"
    assert 'ENTRYPOINT ["with-secrets"]' in lines


def test_what_the_image_has_is_locked() -> None:
    (default,) = re.findall(r"^ARG EXTRAS=(\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert SERVICES["code"]["build"]["args"]["EXTRAS"] == default
    assert f"MART_EXTRAS={default}" in (DEPLOY / "env.example").read_text()
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    lock = (PROJECT / "requirements-image.lock").read_text()
    pinned = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    for name in {*default.split(","), "dbt", "fivetran", "census", "ingest", "s3", "gs", "az"}:
        for requirement in extras[name]:
            (package,) = re.findall(r"^[\w.-]+", requirement)
            assert package in pinned, f"{package}: make lock"


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_each_environment_has_its_settings(environment: str) -> None:
    said = parsed(DEPLOY / "compose.yaml", {"MART_ENV": environment})["services"]["code"]
    assert said["environment"]["CONSUMPTION_DATAMART_ENV"] == environment
    assert (PROJECT / "settings" / f"{environment}.toml").is_file()
    assert SERVICES["code"]["environment"]["CONSUMPTION_DATAMART_ENV"] == "production"


def test_dagsters_configuration_is_one() -> None:
    config, _ = dagster_instance_config(str(DEPLOY / "dagster"))
    assert config["run_monitoring"]["enabled"]
    assert config["run_monitoring"]["max_runtime_seconds"] > 0
    assert config["run_retries"] == {
        "enabled": True,
        "max_retries": 2,
        "retry_on_asset_or_op_failure": False,
    }


def test_a_secret_is_a_variable_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    secrets = tmp_path / "run" / "secrets"
    (secrets / "code").mkdir(parents=True)
    (secrets / "tls.key").write_text("not a variable")
    (secrets / "A_PASSWORD").write_text("it's $ecret\n")
    (secrets / "code" / "SLACK_URL").write_text("https://example.com/x")
    script = tmp_path / "with-secrets"
    text = (DEPLOY / "bin" / "with-secrets").read_text()
    script.write_text(text.replace("/run/secrets", str(secrets)))
    command = ["sh", str(script), sys.executable, "-c", "import os; print(dict(os.environ))"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    assert '"A_PASSWORD": "it\'s $ecret"' in done.stdout.replace("'A_PASSWORD'", '"A_PASSWORD"')
    assert "'SLACK_URL': 'https://example.com/x'" in done.stdout
    assert "tls" not in done.stdout
    (secrets / "A_PASSWORD").write_text("\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 78
    assert "write the secret A_PASSWORD into it" in done.stderr


def test_it_does_not_start_without_passwords_certificate_and_logins(deploy: Path) -> None:
    assert "run deploy/mart setup" in mart(deploy, "start").stderr
    assert mart(deploy, "setup").returncode == 0
    secrets = deploy / "secrets"
    passwords = {file.read_text() for file in secrets.iterdir() if file.is_file()}
    assert len(passwords) == 2
    assert all(re.fullmatch(r"[0-9a-f]{48}\n", each) for each in passwords)
    assert secrets.stat().st_mode & 0o077 == 0
    for name in ("tls.crt", "tls.key"):
        done = mart(deploy, "start")
        assert (done.returncode, f"secrets/{name} is not there" in done.stderr) == (1, True)
        (secrets / name).write_text("a certificate")
    assert "nobody could log in" in mart(deploy, "start").stderr
    (secrets / "tls.key").chmod(0o600)
    assert mart(deploy, "user", "ann", "operator", text=PASSWORD).returncode == 0
    assert "secrets/tls.key: containers have users" in mart(deploy, "start").stderr
    (secrets / "tls.key").chmod(0o644)
    assert "docker was called" in mart(deploy, "start").stderr
    mart(deploy, "setup")
    assert passwords <= {file.read_text() for file in secrets.iterdir() if file.is_file()}


def test_a_backup_that_fails_is_none(deploy: Path) -> None:
    set_up(deploy)
    for command in ("backup", "upgrade"):
        done = mart(deploy, command)
        assert (done.returncode, "docker was called" in done.stderr) == (3, True)
        assert list((deploy / "backups").iterdir()) == []
    done = mart(deploy, "restore", "backups")
    assert (done.returncode, "it is no backup" in done.stderr) == (1, True)


def test_the_image_before_is_the_last_that_was_well(deploy: Path) -> None:
    set_up(deploy)

    def upgrade(well: str, taken: str, *arguments: str) -> list[str]:
        (deploy / "well").write_text(well)
        (deploy / "taken").write_text(taken)
        (deploy / "docker.log").write_text("")
        done = mart(deploy, "upgrade", *arguments, docker_does=DOCKER)
        assert ("services are stopped" in done.stderr) == (deploy / "broken").exists()
        return (deploy / "docker.log").read_text().splitlines()

    def tagged(lines: list[str]) -> list[str]:
        names = [line.split(" (")[0].split(":")[-1] for line in lines if line.startswith("tag ")]
        return [name for name in names if name in ("previous", "well")]

    def version() -> list[str]:
        said = (deploy / ".env").read_text().splitlines()
        return [line for line in said if line.startswith("MART_VERSION=")]

    asked = upgrade("good", "newer")
    assert tagged(asked) == ["previous", "well"]
    assert asked.index("compose build code (next)") < asked.index("compose stop daemon (next)")
    assert asked.index("tag consumption-datamart:next consumption-datamart:local (next)") < (
        asked.index("compose up --detach --wait --wait-timeout 600 (local)")
    )
    assert tagged(upgrade("newer", "newer")) == ["well"]  # nothing new
    (deploy / "broken").touch()
    with (deploy / ".env").open("a") as env:
        env.write("MART_KEEP_BACKUPS=3")  # an editor that ends no line
    assert tagged(upgrade("newer", "bad", "1.4.0")) == ["previous"]
    assert version() == ["MART_VERSION=1.4.0"]
    (deploy / "broken").unlink()
    asked = upgrade("newer", "newer", "previous")
    assert (version(), tagged(asked)) == (["MART_VERSION=previous"], ["well"])
    assert not any("migrate" in each for each in asked)
    assert tagged(upgrade("newer", "newest")) == ["previous", "well"]
    assert version() == []
    asked = upgrade("newest", "next", "--check")
    assert asked[-1].endswith(" code consumption-datamart upgrade --check (check)")
    assert (version(), tagged(asked), [e for e in asked if "stop" in e]) == ([], [], [])
    (deploy / "secrets" / "operators").write_text("")
    assert upgrade("newest", "next") == []


def test_a_login_is_of_one_role_and_has_no_password_in_clear(deploy: Path) -> None:
    secrets = deploy / "secrets"

    def names(role: str) -> list[str]:
        return [line.split(":")[0] for line in (secrets / role).read_text().splitlines()]

    mart(deploy, "user", "ann", "operator", text=PASSWORD)
    mounted = (secrets / "operators").stat().st_ino
    mart(deploy, "user", "bob", "viewer", text=PASSWORD)
    assert (names("operators"), names("viewers")) == (["ann"], ["ann", "bob"])
    assert all(":$6$" in line for line in (secrets / "viewers").read_text().splitlines())
    mart(deploy, "user", "ann", "viewer", text=PASSWORD)
    assert (names("operators"), names("viewers")) == ([], ["bob", "ann"])
    assert (secrets / "operators").stat().st_ino == mounted  # what is mounted stays so
    mart(deploy, "user", "b.b", "viewer", text=PASSWORD)  # a point is a point
    assert names("viewers") == ["bob", "ann", "b.b"]
    told = mart(deploy, "user", "bob", "none").stderr
    assert "bob may not log in" in told
    assert "there are no operators; nothing starts without one" in told
    assert names("viewers") == ["ann", "b.b"]
    for arguments, text, told in (
        (("ann", "operator"), "short", "at least 12 characters"),
        (("ann", "boss"), PASSWORD, "an operator, a viewer or none"),
        (("a:b", "viewer"), PASSWORD, "letters, digits"),
        (("ann", "viewer"), "", "no password was given"),
    ):
        done = mart(deploy, "user", *arguments, text=text)
        assert (done.returncode, told in done.stderr) == (1, True), done.stderr
