"""What can be set, with its default."""

from datetime import date
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from consumption_datamart.errors import DatamartError
from consumption_datamart.settings.files import MARTS, PREFIX, PROJECT_DIR, settings_file

PASSWORD = "warehouse_password"
SECRETS = (PASSWORD, "copy_password")
"""The settings that are secret: they come from the environment alone."""


class Settings(BaseSettings):
    """What can be set, each by an environment variable `CONSUMPTION_DATAMART_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, the environment, the file of the environment."""
        file = settings_file()
        if file is None:
            return init_settings, env_settings
        of_file = TomlConfigSettingsSource(settings_cls, file)
        for name in SECRETS:
            if name in of_file.toml_data:
                raise DatamartError(
                    f"{file}: {name}: a password has no place in a file of settings; set the"
                    f" variable {variable(name)}"
                )
        return init_settings, env_settings, of_file

    lake: str = Field(
        default=str(PROJECT_DIR / "source_data"),
        description="Folder or URI (s3://, gs://, az://) of the lake.",
    )
    sources: str | None = Field(
        default=None,
        description="Path or URI of the file that describes the lake's sources; by default"
        " `lake.toml` in the lake, if it is there.",
    )
    accept_deletions: bool = Field(
        default=False,
        description="Whether rows are deleted whose dumps are gone, though these are most of a"
        " source's dumps; otherwise the load fails and keeps them.",
    )
    warehouse: str = Field(
        default=f"duckdb://{MARTS / 'consumption.duckdb'}",
        description="URL of the warehouse: duckdb://…, sqlite://…, postgres://…, snowflake://… or"
        " spark://…, without a password.",
    )
    warehouse_password: SecretStr | None = Field(
        default=None,
        description="Password of a warehouse that asks for one, or private key or token; by default"
        " the client's own: PGPASSWORD, ~/.pgpass, a service file, connections.toml.",
    )
    copy_password: SecretStr | None = Field(
        default=None, description="Password of the warehouse that `copy --to` names."
    )
    start_day: date | None = Field(
        default=None,
        description="First daily partition, a calendar date (UTC); by default the lake's first day"
        " when the code location is loaded.",
    )
    dagster_home: str | None = Field(
        default=None,
        validation_alias="DAGSTER_HOME",
        description="Where Dagster keeps its runs; without it a build leaves no record of its run.",
    )
    refresh_minutes: int = Field(
        default=5, description="Minutes between two refreshes of a report, at least."
    )
    fresh_within_hours: float = Field(
        default=26, description="Hours after which a report that was not refreshed is late."
    )
    load_attempts: int = Field(
        default=3, ge=1, description="How often a dump is tried that cannot be read."
    )
    load_retry_seconds: float = Field(
        default=10, ge=0, description="Seconds before the second attempt; each wait doubles."
    )
    warnings_share: float = Field(
        default=0.4, ge=0, le=1, description="Share of rows with warnings that is still normal."
    )
    quarantined_share: float = Field(
        default=0.05, ge=0, le=1, description="Share of rows set aside that is still normal."
    )
    volume_tolerance: float = Field(
        default=0.5,
        ge=0,
        description="How far the rows of a day may be from the weekday's median, as share of it.",
    )
    run_time_factor: float = Field(
        default=3, ge=1, description="How many times its usual run time a table may take."
    )
    late_after_days: int = Field(
        default=3, ge=0, description="Days without a dump of telemetry after which it is late."
    )
    posted_late_after_days: int = Field(
        default=35,
        ge=0,
        description="Days without a dump of invoices or of entitlements after which these are late:"
        " on a day on which nothing is posted there may be no dump.",
    )
    archived_after_days: int = Field(
        default=30,
        ge=0,
        description="Days without any dump after which nobody waits for the lake's next one.",
    )
    monitored_days: int = Field(
        default=28, ge=1, description="Last days of daily tables that the monitoring job looks at."
    )
    alerts_file: str = Field(
        default=str(PROJECT_DIR / "alerts.toml"),
        description="TOML file of whom to alert of what; without it alerts go to the log.",
    )
    team_assets: str | None = Field(
        default=None,
        description="Folder of files with a team's own assets, which are loaded beside the mart.",
    )
    page: str | None = Field(
        default=None,
        description="Folder or URI of the executives' page; without it there is no asset"
        " `mart/page`.",
    )
    page_without: Literal["money"] | None = Field(
        default=None, description="What the page leaves out."
    )
    dbt_projects: str | None = Field(
        default=None,
        description="Folders of dbt projects that read the mart, with commas between them; needs"
        " the extra dbt.",
    )
    dbt_schedules: str | None = Field(
        default=None,
        description="Jobs and schedules of these: project=hourly+daily, other=monthly.",
    )
    fivetran: str | None = Field(
        default=None,
        description="TOML file of Fivetran's connectors whose tables feed the lake; needs the extra"
        " fivetran.",
    )
    reverse_etl: str | None = Field(
        default=None,
        description="TOML file of the syncs of Census that send reports on; needs the extra"
        " census.",
    )
    release_raw: bool = Field(
        default=True,
        description="Whether readers see raw telemetry, too. Without it a release of a DuckDB"
        " warehouse costs what was published since the last, whatever history there is.",
    )
    keep_previous_release: bool = Field(
        default=True,
        description="Whether the release before the last is kept, for the command rollback; of a"
        " DuckDB warehouse, whose disk then holds one more copy of what readers see.",
    )
    keep_raw_days: int | None = Field(
        default=None,
        ge=1,
        description="Days, counted back from the mart's last, that raw telemetry is kept. Older"
        " rows are pruned, and their dumps are not loaded again; by default all are kept.",
    )
    keep_quarantine_days: int | None = Field(
        default=None,
        ge=1,
        description="Days, likewise, that telemetry is kept that was set aside; by default all.",
    )
    keep_results_days: int = Field(
        default=100,
        ge=30,
        description="Days that results of checks, and figures, are kept that later ones of the same"
        " table and day have replaced.",
    )
    keep_runs_days: int | None = Field(
        default=None,
        ge=1,
        description="Days that Dagster's runs are kept with their events, but for those by which"
        " Dagster knows what is built; by default all.",
    )
    keep_compute_logs_days: int | None = Field(
        default=None, ge=1, description="Days that the logs of runs are kept; by default all."
    )
    memory_limit: str = Field(
        default="1GB", description="Memory that DuckDB may use; what exceeds it spills to disk."
    )


def variable(name: str) -> str:
    """The variable of the environment that sets something."""
    alias = Settings.model_fields[name].validation_alias if name in Settings.model_fields else None
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"
