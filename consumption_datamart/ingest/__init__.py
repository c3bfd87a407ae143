"""Queries of databases become dumps in the lake, day by day.

Nothing of a database's driver is imported before a query is run.
"""

from consumption_datamart.ingest.reading import IngestError
from consumption_datamart.ingest.running import Ingested, columns_of, due, ingest, last_day
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import sources_of
from consumption_datamart.lake.parsing import Ingest, ingests_of
from consumption_datamart.lake.sources_file import FILE

__all__ = [
    "Ingest",
    "IngestError",
    "Ingested",
    "columns_of",
    "due",
    "ingest",
    "ingests",
    "last_day",
]


def ingests(lake: Lake) -> list[Ingest]:
    """The queries that the lake's sources file describes.

    Raises:
        LakeError: the file cannot be read, or has a mistake.
    """
    return ingests_of(sources_of(lake), lake.sources_file or FILE)
