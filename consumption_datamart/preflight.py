"""Whether what the settings name can be read, written and reached, before it is needed."""

import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from consumption_datamart.alerts.config import (
    EmailRoute,
    LogRoute,
    SlackRoute,
    WebhookRoute,
    load_alert_settings,
)
from consumption_datamart.dbt import downstream
from consumption_datamart.definitions import catalog_of, lake_of
from consumption_datamart.errors import DatamartError, first_line
from consumption_datamart.factories import Catalog
from consumption_datamart.fivetran import Landed, landed
from consumption_datamart.ingest import ingests
from consumption_datamart.ingest.policies import condition_of
from consumption_datamart.ingest.running import columns_of
from consumption_datamart.lake.listing import listing, sources_of
from consumption_datamart.lake.parsing import Ingest
from consumption_datamart.lake.sources_file import FILE
from consumption_datamart.planning import CurrentPlan
from consumption_datamart.reverse_etl import Sent, sent
from consumption_datamart.secrets import revealed
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of

PORTS = {"http": 80, "https": 443}


class Finding(NamedTuple):
    """What was found of one thing that settings name.

    Attributes:
        subject: what was looked at.
        told: what it is like, or what is wrong with it.
        is_well: whether nothing is wrong.
    """

    subject: str
    told: str
    is_well: bool


def findings(settings: Settings) -> Iterator[Finding]:
    """Looks at the lake, the warehouse, the routes of alerts, and the folders that are named.

    Nothing is built, and nobody is told anything: of a route it is seen whether its host answers.
    """
    yield _finding("lake", lambda: _lake(settings))
    yield _finding("warehouse", lambda: _warehouse(settings))
    yield from _ingests(settings)
    yield from _routes(settings)
    if settings.dbt_projects:
        yield from _dbt(settings)
    if settings.fivetran is not None:
        yield from _outside("fivetran", "connector", landed(settings, _after(settings)))
    if settings.reverse_etl is not None:
        yield from _syncs(settings)
    if settings.page is not None and "://" not in settings.page:
        yield _finding("page", lambda: _folder(Path(settings.page or "").absolute().parent))
    if settings.dagster_home is not None:
        yield _finding("DAGSTER_HOME", lambda: _folder(Path(settings.dagster_home or "")))


def _finding(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look(), True)
    except (DatamartError, OSError) as error:
        return Finding(subject, first_line(error), False)


def _lake(settings: Settings) -> str:
    found = listing(lake_of(settings))
    if not found.days:
        raise DatamartError(f"{settings.lake}: no source takes any file; see check-lake")
    return (
        f"{settings.lake}: dumps of {len(found.days):,} days, {min(found.days)} … {max(found.days)}"
    )


def _warehouse(settings: Settings) -> str:
    warehouse = warehouse_of(settings)
    if not warehouse.is_there():
        return f"{warehouse.url}: nothing was built yet"
    released = warehouse.released()
    with released.reader() as backend:
        tables = len(released.tables(backend))
    at = released.as_of()
    return f"{warehouse.url}: {tables} tables" + (f", as of {at:%Y-%m-%d %H:%M} UTC" if at else "")


def _ingests(settings: Settings) -> Iterator[Finding]:
    """Each query: whether its database lets it be run."""
    lake = lake_of(settings)
    try:
        known = ingests(lake)
    except DatamartError:  # is told of the lake
        return
    where = lake.sources_file or FILE
    for one in known:
        yield _finding(f"ingest {one.name}", partial(_ingest, one, where, settings.refresh_minutes))


def _ingest(one: Ingest, where: str, minutes: int) -> str:
    condition_of(one, where, minutes)
    return f"columns {', '.join(columns_of(one))}"


def _planned(settings: Settings) -> tuple[Catalog, CurrentPlan]:
    """All tables, and the plan that policies ask, as the code location has them."""
    catalog, warehouse = catalog_of(settings), warehouse_of(settings)
    plan = CurrentPlan(catalog.nodes(), catalog.contracts, warehouse, lake_of(settings))
    return catalog, plan


def _dbt(settings: Settings) -> Iterator[Finding]:
    """Each project, and what is wrong with it; it is parsed where that was not done yet."""
    try:
        found = downstream(settings, *_planned(settings))
    except DatamartError as error:
        yield Finding("dbt", first_line(error), False)
        return
    for _, told in found.found:
        yield Finding("dbt", told, True)
    for _, told in found.problems:
        yield Finding("dbt", told, False)


def _syncs(settings: Settings) -> Iterator[Finding]:
    """Each sync of Census: whether Census knows it."""
    try:
        found = sent(settings, *_planned(settings))
    except DatamartError as error:
        yield Finding("reverse_etl", first_line(error), False)
        return
    yield from _outside("reverse_etl", "sync", found)


def _after(settings: Settings) -> set[str]:
    try:
        return sources_of(lake_of(settings)).config.after
    except DatamartError:  # is told of the lake
        return set()


def _outside(of: str, kind: str, found: Landed | Sent) -> Iterator[Finding]:
    """What is wrong with a file, and what others say of each of its entries."""
    for problem in found.problems:
        yield Finding(of, problem, False)
    for name, ask in found.asking.items():
        yield _finding(f"{kind} {name}", ask)


def _routes(settings: Settings) -> Iterator[Finding]:
    file = Path(settings.alerts_file)
    try:
        known = load_alert_settings(file)
    except DatamartError as error:
        yield Finding("alerts", first_line(error), False)
        return
    if not file.exists():
        yield Finding("alerts", f"there is no {file}: alerts go to the log", True)
    for route in known.route:
        if not isinstance(route, LogRoute):
            look = partial(_reached, route, known.delivery.timeout_seconds)
            yield _finding(f"route {route.name}", look)


def _reached(route: WebhookRoute | SlackRoute | EmailRoute, timeout: float) -> str:
    for text in route.secrets():
        revealed(text)
    if isinstance(route, EmailRoute):
        return _answers(route.host, route.port, timeout)
    parts = urlsplit(revealed(route.url))
    if parts.scheme not in PORTS or not parts.hostname:
        raise DatamartError(f"what {route.url} stands for is no URL of http:// or https://")
    return _answers(parts.hostname, parts.port or PORTS[parts.scheme], timeout)


def _answers(host: str, port: int, timeout: float) -> str:
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        raise DatamartError(f"{host}:{port} does not answer: {error}") from error
    return f"{host}:{port} answers"


def _folder(folder: Path) -> str:
    if not folder.is_dir():
        raise DatamartError(f"{folder}: there is no such folder; create it")
    return f"{folder} is there"
