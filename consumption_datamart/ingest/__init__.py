"""Queries of databases become dumps in the lake, day by day.

Nothing of it is imported where `lake.toml` has no query, and no driver before one is run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import sources_of
from consumption_datamart.lake.parsing import Ingest, ingests_of
from consumption_datamart.lake.sources import Sources
from consumption_datamart.lake.sources_file import FILE
from consumption_datamart.partitions import range_tags
from consumption_datamart.schema.days import Days


@dataclass(frozen=True)
class Upstream:
    """What queries add to the code location.

    Attributes:
        assets: of all queries.
        feeds: the keys of those that write the dumps of a source, by its table and name.
        problems: what is wrong, a line each.
    """

    assets: Sequence[dg.AssetsDefinition] = ()
    feeds: Mapping[tuple[str, str], Sequence[dg.AssetKey]] = field(default_factory=dict)
    problems: Sequence[str] = ()

    def tags(self, day: date) -> dict[str, str]:
        """Of a run that observes what they feed.

        Dagster looks up what an observed day is made of, and so wants to be told of a day; which
        one is all the same, if it is a partition.
        """
        return range_tags(Days(day, day)) if self.assets else {}

    @property
    def keys(self) -> list[dg.AssetKey]:
        """Of all of these assets."""
        return [key for each in self.assets for key in each.keys]

    @property
    def selection(self) -> dg.AssetSelection:
        """All of these assets."""
        return dg.AssetSelection.assets(*self.keys)


def upstream(lake: Lake, sources: Sources, minutes: int) -> Upstream:
    """The assets of all queries that `lake.toml` describes.

    Args:
        lake: where it is.
        sources: of the lake.
        minutes: interval of the settings.
    """
    if not sources.config.ingest:
        return Upstream()
    from consumption_datamart.ingest.assets import assets_of

    return assets_of(lake, sources, minutes)


def ingests(lake: Lake) -> list[Ingest]:
    """The queries that the lake's sources file describes.

    Raises:
        LakeError: the file cannot be read, or has a mistake.
    """
    return ingests_of(sources_of(lake), lake.sources_file or FILE)
