"""A build is simulated: what would be built, what would be told, and nothing is touched."""

from pathlib import Path

from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ONLY_LOADED, tables_of


@ONLY_LOADED
def test_nothing_is_touched(lake: Path, warehouse: str) -> None:
    place = ["--lake", lake, "--warehouse", warehouse]
    assert "nothing was built yet" in cli.run("assets", "simulate", *place).err
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1))])
    assert cli.run("build", *place).code == 0
    before = tables_of(warehouse)

    bad = [usage(event_id=str(n), event_ts=noon(2), quantity=-1.0) for n in range(3)]
    write_dump(lake, "telemetry", day(2), bad)
    write_dump(lake, "invoices", day(2), [invoice(invoice_id="INV-2", invoice_date=day(2))])
    ended = cli.run("assets", "simulate", *place, "--select", 'key:"lake/raw_telemetry"')
    assert ended.code == 0, ended.err
    rows = [line.split() for line in ended.out.splitlines()]
    assert ["quarantine_telemetry", "3"] in [row[:2] for row in rows]
    assert "raw_invoices" not in ended.out
    told = "Would tell: WARNING check lake/quarantine_telemetry: quarantined_share:"
    assert told in ended.out
    assert "raw_invoices" in cli.run("assets", "simulate", *place).out
    other = cli.run("assets", "simulate", *place, "--select", 'key:"lake/telemetry"')
    assert "Not simulated, as they are no tables of the mart: lake/telemetry" in other.err
    assert tables_of(warehouse) == before
