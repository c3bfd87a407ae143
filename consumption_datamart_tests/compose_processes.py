#!/usr/bin/env python3
"""Stands in for `docker compose` where there is no engine: services are processes of this machine.

What is run is what deploy/compose.yaml says: commands, health checks, environment, volumes,
secrets, the order, the signals. Each service has an address of its own (127.x.y.n), so that ports
are those of the file, and a folder that stands for its container's. Images are not: there is
nothing to build or to pull, and what the image of PostgreSQL does at its first start is done here.

Called as `docker`, with COMPOSE_ROOT and COMPOSE_ADDRESS (its first three numbers) in the
environment.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
UID = 65534
"""Of `nobody`: where this is root, others' images run as that, ours without capabilities."""
FOLDERS = "data|lake|srv|run/secrets|opt|etc/consumption-datamart|etc/nginx|var/lib/postgresql"
INSIDE = re.compile(rf"(?<![\w.-])/({FOLDERS})(?![\w-])")
"""Folders of a container."""
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
HEALTHY_SECONDS = 200


def interpolated(value: Any, environment: Mapping[str, str]) -> Any:
    """What Compose makes of `${NAME}`, `${NAME:-default}` and `${NAME:?why}`."""

    def meant(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if environment.get(name):
            return environment[name]
        if kind == ":?":
            raise SystemExit(f"{name}: {rest}")
        return rest or ""

    if isinstance(value, str):
        return VARIABLE.sub(meant, value)
    if isinstance(value, Mapping):
        return {name: interpolated(each, environment) for name, each in value.items()}
    return [interpolated(each, environment) for each in value] if isinstance(value, list) else value


def parsed(file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """A compose file, with its profiles that are asked for only."""
    found: dict[str, Any] = interpolated(yaml.safe_load(file.read_text()), environment)
    asked = set(environment.get("COMPOSE_PROFILES", "").split(","))
    found["services"] = {
        name: service
        for name, service in found["services"].items()
        if not service.get("profiles") or asked & set(service["profiles"])
    }
    return found


class Service:
    """A service as a process."""

    def __init__(self, name: str, engine: "Engine") -> None:
        """Not yet started."""
        self.name, self.engine = name, engine
        self.said: dict[str, Any] = engine.said["services"][name]
        self.root = engine.root / name
        self.pid_file = engine.root / f"{name}.pid"
        self.is_postgres = str(self.said["image"]).startswith("postgres:")
        self.is_proxy = "nginx" in str(self.said["image"])

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.engine.address(self.name)

    def local(self, text: str) -> str:
        """A text of its container, as it is here."""
        text = INSIDE.sub(lambda found: f"{self.root}{found[0]}", text)
        text = text.replace("127.0.0.1", self.address).replace("0.0.0.0", self.address)
        for name in self.engine.names:
            text = re.sub(rf"(?<=[/@]){name}(?=:\d)", self.engine.address(name), text)
        return text

    def lay_out(self) -> None:
        """What its container has: volumes, secrets, and files of the image, which say addresses."""
        for each in self.said.get("volumes", ()):
            source, target = each.split(":")[:2]
            here = self.root / target.lstrip("/")
            here.parent.mkdir(parents=True, exist_ok=True)
            if source.startswith((".", "/")) and "secrets" in source:
                self._link(sorted((self.engine.folder / source).glob("*")), here)
            elif target.endswith("default.conf") or "login" in target:
                self._copy(self.engine.folder / source, here)
            elif not here.is_symlink():
                is_bound = source.startswith((".", "/"))
                volume = self.engine.root / "volumes" / source
                held = (self.engine.folder / source).resolve() if is_bound else volume
                held.mkdir(parents=True, exist_ok=True)
                here.symlink_to(held)
        files = [self.engine.said["secrets"][name]["file"] for name in self.said.get("secrets", ())]
        self._link([self.engine.folder / file for file in files], self.root / "run" / "secrets")
        self._copy(PROJECT / "deploy" / "bin", self.root / "bin")
        if not self.is_others:
            self._copy(PROJECT / "deploy" / "dagster", self.root / "opt" / "dagster")
            self._copy(PROJECT / "settings", self.root / "opt/consumption-datamart/settings")

    def _link(self, files: Sequence[Path], to: Path) -> None:
        """As files that are mounted: the same file, whatever its folder allows."""
        to.mkdir(parents=True, exist_ok=True)
        for file in files:
            if not file.is_file():
                raise SystemExit(f"bind source path does not exist: {file}")
            (to / file.name).unlink(missing_ok=True)
            os.link(file, to / file.name)

    def _copy(self, source: Path, to: Path) -> None:
        for file in [source] if source.is_file() else source.iterdir():
            here = to if source.is_file() else to / file.name
            here.parent.mkdir(parents=True, exist_ok=True)
            here.write_text(self.local(file.read_text()))
            here.chmod(0o755 if source.name == "bin" else 0o644)

    def environment(self) -> dict[str, str]:
        """Nothing of this process but where programs are."""
        of_file: dict[str, str] = {}
        for each in self.said.get("env_file", ()):
            if (file := self.engine.folder / each["path"]).is_file():
                lines = [line for line in file.read_text().splitlines() if "=" in line]
                of_file |= dict(line.split("=", 1) for line in lines if line[0] != "#")
        said = {**of_file, **self.said.get("environment", {})}
        path = [str(self.root / "bin"), str(Path(sys.executable).parent), str(programs())]
        hosts = {name: self.engine.address(name) for name in self.engine.names}
        return {name: hosts.get(each, self.local(str(each))) for name, each in said.items()} | {
            "PATH": ":".join([*path, "/usr/local/bin", "/usr/sbin", "/usr/bin", "/bin"]),
            "HOME": str(self.engine.root),
            "PYTHONPATH": str(PROJECT),
            "PGHOST": str(self.root),
        }

    @property
    def is_others(self) -> bool:
        """Whether its image is not ours."""
        return self.is_postgres or self.is_proxy

    def words(self, command: Sequence[str]) -> list[str]:
        """A command, with no more rights than in its container."""
        words = [self.local(str(word)) for word in command]
        if os.getuid() != 0:
            return words
        if self.is_others:
            return ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *words]
        return ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *words]

    def main(self) -> list[str]:
        """Its own command, with the entry point of its image."""
        if self.is_postgres:
            return [
                "postgres",
                "-D",
                "/var/lib/postgresql/data",
                "-h",
                "0.0.0.0",
                "-k",
                str(self.root),
            ]
        if self.is_proxy:
            return ["nginx", "-e", "stderr", "-p", str(self.root), "-c", f"{self.root}/nginx.conf"]
        return ["with-secrets", *self.said["command"]]

    def run(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        """As `docker compose exec`."""
        return subprocess.run(
            self.words(command), env=self.environment(), cwd=self.root, check=False, **options
        )

    def start(self) -> None:
        """Starts its process, if it is not there."""
        if self.pid is not None:
            return
        self.lay_out()
        if self.is_proxy:
            self._nginx()
        self._own()
        if self.is_postgres:
            self._initdb()
        with (log := self.engine.root / f"{self.name}.log").open("a") as out:
            if os.getuid() == 0 and self.is_others:
                os.chown(log, UID, UID)
            process = subprocess.Popen(
                self.words(self.main()),
                env=self.environment(),
                cwd=self.root / "opt/dagster"
                if (self.root / "opt/dagster").is_dir()
                else self.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.pid_file.write_text(str(process.pid))
        process.returncode = 0  # from now on it is known by its file; nobody waits for it

    def _initdb(self) -> None:
        """What the image does at its first start."""
        said, data = self.environment(), "/var/lib/postgresql/data"
        if not (self.root / data.lstrip("/") / "PG_VERSION").exists():
            how = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "-E", "UTF8"]
            own = ["-U", said["POSTGRES_USER"], f"--pwfile={said['POSTGRES_PASSWORD_FILE']}"]
            quiet = {"stdout": subprocess.DEVNULL}
            self.run(["initdb", "-D", data, *how, *own], **quiet).check_returncode()
            single = ["postgres", "--single", "-D", data, "postgres"]
            made = f"CREATE DATABASE {said['POSTGRES_DB']}\n".encode()
            self.run(single, input=made, **quiet).check_returncode()

    def _nginx(self) -> None:
        temporary = "".join(
            f"{name}_temp_path tmp/{name}; "
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.root / "tmp").mkdir(exist_ok=True)
        (self.root / "nginx.conf").write_text(
            f"daemon off; pid nginx.pid; error_log stderr; events {{}} http {{ {temporary}"
            f" include /etc/nginx/mime.types; include {self.root}/etc/nginx/conf.d/default.conf; }}"
        )

    def _own(self) -> None:
        """What it writes is its user's."""
        if os.getuid() == 0 and self.is_others:
            volume = self.engine.root / "volumes" / self.name
            paths = [self.root, self.root / "tmp", *volume.rglob("*"), volume]
            for path in filter(Path.exists, paths):
                os.chown(path, UID, UID, follow_symlinks=False)

    @property
    def pid(self) -> int | None:
        """Of its process; None: it does not run."""
        try:
            pid = int(self.pid_file.read_text())
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError):
            return None
        return None if state == "Z" else pid

    def is_healthy(self) -> bool:
        """Whether its health check says so."""
        test = self.said["healthcheck"]["test"][1:]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return self.pid is not None and self.run(test, **quiet).returncode == 0

    def wait(self) -> None:
        """Until it is healthy."""
        end = time.monotonic() + HEALTHY_SECONDS
        while not self.is_healthy():
            if self.pid is None or time.monotonic() > end:
                log = (self.engine.root / f"{self.name}.log").read_text()
                raise SystemExit(f"{self.name} is not healthy:\n{log[-3000:]}")
            time.sleep(1)

    def stop(self) -> None:
        """SIGTERM, the time that it has, and then its whole container."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGINT if self.is_postgres else signal.SIGTERM)
        grace = float(str(self.said.get("stop_grace_period", "10s")).rstrip("s"))
        begun = time.monotonic()
        while self.pid is not None and time.monotonic() - begun < grace:
            time.sleep(0.1)
        took, is_late = time.monotonic() - begun, self.pid is not None
        with (self.engine.root / "stopped.jsonl").open("a") as told:
            told.write(
                json.dumps({"service": self.name, "seconds": took, "killed": is_late}) + "\n"
            )
        self.kill(pid)

    def kill(self, pid: int) -> None:
        """All of its processes, at once."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)


class Engine:
    """All services of a compose file."""

    def __init__(self, folder: Path, root: Path, address: str) -> None:
        """See above."""
        self.folder, self.root, self.begin = folder, root, address
        self.root.mkdir(parents=True, exist_ok=True)

    @cached_property
    def said(self) -> dict[str, Any]:
        """The file; variables are those of `.env`, and of the environment before it."""
        lines = (self.folder / ".env").read_text().splitlines()
        env = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
        return parsed(self.folder / "compose.yaml", env | dict(os.environ))

    @property
    def names(self) -> list[str]:
        """Of all services."""
        return list(self.said["services"])

    def address(self, name: str) -> str:
        """Where a service listens."""
        return f"{self.begin}.{self.names.index(name) + 2}"

    def in_order(self, names: Sequence[str]) -> Iterator[Service]:
        """Services, each after those that it depends on."""
        done: set[str] = set()

        def after(name: str) -> Iterator[Service]:
            if name in done or name not in self.names:
                return
            done.add(name)
            for other in self.said["services"][name].get("depends_on", {}):
                yield from after(other)
            yield Service(name, self)

        for name in names or self.names:
            yield from after(name)

    def up(self, *names: str, is_alone: bool = False) -> None:
        """Starts them, each when those before it are well, or these alone."""
        for service in self.in_order(names):
            if is_alone and service.name not in names:
                continue
            service.start()
            service.wait()

    def stop(self, *names: str) -> None:
        """Stops them, the last that were started first."""
        wanted = names or self.names
        for service in reversed(list(self.in_order(wanted))):
            if service.name in wanted:
                service.stop()


def programs() -> Path:
    """Of PostgreSQL: Debian's, or those of PyPI's pgserver."""
    if DEBIAN:
        return DEBIAN[-1]
    import pgserver  # noqa: PLC0415  # it warns when it is imported

    return Path(pgserver.__file__).parent / "pginstall" / "bin"


def main(arguments: Sequence[str]) -> int:
    """What deploy/mart asks of Docker."""
    if arguments[0] != "compose":
        return 0  # images
    engine = Engine(Path.cwd(), Path(os.environ["COMPOSE_ROOT"]), os.environ["COMPOSE_ADDRESS"])
    command, *rest = arguments[1:]
    names = [word for word in rest if word in engine.names]
    if command == "up":
        engine.up(*names, is_alone="--no-deps" in rest)
    elif command == "stop":
        engine.stop(*names)
    elif command in ("exec", "run"):
        at = rest.index(names[0])
        service, words = Service(names[0], engine), rest[at + 1 :]
        if command == "run":
            service.lay_out()
            words = ["with-secrets", *words]
        elif service.pid is None:
            raise SystemExit(f'service "{service.name}" is not running')
        return service.run(words).returncode
    elif command == "ps":
        states = {name: Service(name, engine).is_healthy() for name in engine.names}
        for name, is_well in states.items():
            told = "healthy" if is_well else "unhealthy"
            print(told if "--format" in rest else f"{name} {told}")
    elif command == "config":
        print("\n".join(engine.names))
    elif command != "build":
        raise SystemExit(f"{command}: this is not Docker")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
