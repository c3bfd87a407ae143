"""The mart on PostgreSQL is the mart: what the oracle makes of the lake, built whole or in steps."""

import shutil
from pathlib import Path

import pytest

from consumption_datamart.assets.lake import LAKE
from consumption_datamart_tests import cli, postgres_server
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import MODELS, build, tables_of, without_monitoring
from consumption_datamart_tests.oracle import expected_tables

SAMPLE = Path(__file__).parent.parent / "source_data"


@pytest.fixture(scope="module")
def sample() -> str:
    """URL of the sample's mart."""
    url = postgres_server.new_database()
    build(SAMPLE, url)
    return url


def test_the_sample_is_built_as_the_oracle_has_it(sample: str) -> None:
    tables = tables_of(sample)
    assert tables.keys() | {"monitoring.release"} == MODELS.keys()
    assert differing(tables, expected_tables(SAMPLE)) == {}
