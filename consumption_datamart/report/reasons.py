"""Why something is to be acted on, in words; money is in the row's own currency."""

from datetime import date

from consumption_datamart.report.amounts import (
    days,
    has,
    money,
    number,
    on,
    percent,
    units,
    with_unit,
)
from consumption_datamart.report.reading import Record

CONSUMABLE = "consumable"
SIGN = " %"


def renewal(row: Record, metering: str | None) -> str:
    """`used 22 % of 400 seats, renews in 50 days, 36,480 GBP`.

    Args:
        row: of report_renewals, at risk.
        metering: of its product; of a consumable the share is of what 30 days are entitled to.
    """
    of = with_unit(row["quantity"], row["unit"])
    if not has(row["consumption_30d"]):
        used = f"used none of {of} in 30 days"
    elif metering == CONSUMABLE:
        used = f"used {percent(row['consumption_30d'], SIGN)} of 30 days' share of {of}"
    else:
        used = f"used {percent(row['consumption_30d'], SIGN)} of {of}"
    renewed = f"renewed for only {number(row['renewed_quantity'])}" if _is_renewed(row) else None
    return _joined(used, renewed, f"renews in {days(row['days_left'])}", value(row))


def exhausted(row: Record, today: date) -> str:
    """`all 12,000 api_calls used up since 3 May, 40 days before they end, 1,200 USD`.

    Args:
        row: of report_commitments, with exhausts_on.
        today: last_day; after it the words are `will be used up on`.
    """
    of, short = with_unit(row["quantity"], row["unit"]), row["ends_on"] - row["exhausts_on"]
    when = on(row["exhausts_on"], today)
    if row["exhausts_on"] > today:
        gone = f"{of} will be used up on {when}"
    else:
        gone = f"all {of} used up since {when}"
    return _joined(gone, f"{days(short.days)} before the end", value(row))


def overrunning(row: Record, today: date) -> str:
    """`uses 119.8 of 96 vCPU, 124 %, 12,768 EUR`, or what will be used by when.

    Args:
        row: of report_commitments whose projected_pct is 1 or more.
        today: last_day.
    """
    share = percent(row["projected_pct"], SIGN)
    if row["metering"] == CONSUMABLE:
        of, by = with_unit(row["quantity"], row["unit"]), on(row["ends_on"], today)
        return _joined(f"will have used {share} of {of} by {by}", value(row))
    of = with_unit(row["quantity"], row["unit"])
    return _joined(f"uses {number(row['projected'])} of {of}, {share}", value(row))


def underused(row: Record, today: date) -> str:
    """`uses 247 of 518 seats, 47 %, until 18 August, 26,026 of 49,728 EUR unused`.

    Args:
        row: of report_commitments whose projected_pct is below 1.
        today: last_day.
    """
    of, share = with_unit(row["quantity"], row["unit"]), percent(row["projected_pct"], SIGN)
    end = on(row["ends_on"], today)
    if not has(row["projected"]):
        used = f"uses none of {of} until {end}"
    elif row["metering"] == CONSUMABLE:
        used = f"will have used {share} of {of} by {end}"
    else:
        used = f"uses {number(row['projected'])} of {of}, {share}, until {end}"
    whole = value(row)
    if whole is None:
        return used
    part = money(row["annual_value"] * max(0.0, 1 - row["projected_pct"]), row["currency"])
    unused = whole if part == whole else f"{part.removesuffix(row['currency'])}of {whole}"
    return _joined(used, f"{unused} unused")


def used_beyond(row: Record, window_days: int) -> str:
    """`used 139 % of what it is entitled to in 30 days`, or what was used without being entitled.

    Args:
        row: of report_consumption_daily that is over or unentitled, with unit and metering.
        window_days: days of the 30 that the mart has.
    """
    if row["band"] == "over":
        share = percent(row["consumption_30d"], SIGN)
        return f"used {share} of what it is entitled to in 30 days"
    used = row["used_30d"]
    if row["metering"] == CONSUMABLE:
        return f"used {with_unit(used, row['unit'])} in 30 days, entitled to none"
    return f"used {number(used / window_days)} {units(row['unit'])} a day, entitled to none"


def value(row: Record) -> str | None:
    """What a row is worth a year in its own currency; None: nothing, or it is not known."""
    if not has(row["annual_value"]) or row["currency"] is None:
        return None
    return money(float(row["annual_value"]), row["currency"])


def _is_renewed(row: Record) -> bool:
    return row["renewed_by"] is not None and row["renewed_quantity"] is not None


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
