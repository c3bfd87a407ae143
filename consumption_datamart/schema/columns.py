"""What each column means, written once; every model takes its descriptions and units from here."""

from typing import NamedTuple


class Column(NamedTuple):
    """Meaning of a column: its description, and its unit where it is measured in one."""

    description: str
    unit: str | None = None


PRODUCT_UNIT = "the product's unit"
DAY = "calendar date, UTC"
RATIO = "ratio, 1.0 = 100 %"

COLUMNS = {
    # the lake's contract
    "invoice_id": Column("Identifier of the invoice"),
    "line_number": Column("Number of the line on its invoice, from 1"),
    "invoice_date": Column("Day the invoice was issued", DAY),
    "customer_id": Column("Identifier of the customer, `CUST-` and digits"),
    "customer_name": Column("Name of the customer, as of the row's day"),
    "product_id": Column("Identifier of the product"),
    "product_name": Column("Name of the product, as on its last invoice line"),
    "quantity": Column("How much the row is about", PRODUCT_UNIT),
    "unit_price": Column("Price of one unit for the whole term", "currency per unit"),
    "currency": Column("Currency of the amounts", "ISO 4217"),
    "term_months": Column("Length of the subscription that the line sells", "months"),
    "entitlement_id": Column("Identifier of the entitlement"),
    "amendment": Column("Number of the amendment; 0 is the original"),
    "unit": Column("What is counted: vCPU, GiB, seat, api_call…"),
    "metering": Column(
        "capacity: the day's peak counts; consumable: the day's sum; unlimited: all is covered"
    ),
    "period": Column("What a consumable quantity is for: month, quarter, year; none: the term"),
    "starts_on": Column("First day in force", DAY),
    "ends_on": Column("First day no longer in force", DAY),
    "event_id": Column("Idempotency key of the reading within its day"),
    "event_ts": Column("When the usage was read", "UTC"),
    "deployment_id": Column("Identifier of the deployment that used the product"),
    "infrastructure": Column("Where the deployment runs: aws_ec2, azure_vm, gcp_gce, on_prem…"),
    "bundle_id": Column("Bundle that was sold, the product_id that it is sold under"),
    "parent_customer_id": Column("Customer that the account belongs to"),
    "segment": Column("Segment that the account is in"),
    "region": Column("Region that the account is in"),
    "account_manager": Column("Who looks after the account"),
    "rate": Column("What one unit of the currency is worth", "reporting currency per unit"),
    # what the sources file says
    "declaration": Column("What is declared: reporting_currency or silence_unknown"),
    "value": Column("The currency, or the product of which missing telemetry says nothing"),
    # what loading adds
    "source": Column("Source that the row came from, of those of its lake table"),
    "dump_day": Column("Day of the dump that the row came in", DAY),
    "meta__warnings": Column("Warning codes, semicolon-separated, alphabetical; '' when clean"),
    "line": Column(
        "The row's own text: where a line could not be split into columns, or was mapped"
    ),
    "reason": Column("Why the row was set aside, one of the quarantine reasons"),
    "file": Column("File of the dump, relative to the lake"),
    "lake_table": Column("Table of the lake"),
    "files": Column(
        "Files that the dump is made of; 0: it is gone, what was loaded is kept", "files"
    ),
    "size": Column("Size of the dump's files", "bytes"),
    "rows_read": Column("Rows in the file", "rows"),
    "rows_kept": Column("Rows of the file that are in the raw table", "rows"),
    "rows_quarantined": Column("Rows of the file that were set aside", "rows"),
    "rows_excluded": Column("Rows of the file that its source says are not the mart's", "rows"),
    "rows_superseded": Column("Rows of the file whose key a later dump has", "rows"),
    "unexpected_columns": Column("Columns of the file that the contract does not know"),
    "missing_columns": Column("Columns of the contract, not required, that the file lacks"),
    # what the mart knows of itself
    "published_table": Column("Full name of the table"),
    "published_day": Column("Day of it that was published; none: the whole table", DAY),
    "versioned_table": Column("Full name of the table"),
    "table_version": Column("Number of the version, counted from 1 for each table"),
    "recorded_at": Column("When the version was first there; of the first, first seen", "UTC"),
    "partition_grain": Column("How much time a partition is about: none, day, week or month"),
    "frozen_as": Column("Number of what was agreed upon with readers; null: not frozen"),
    "column_name": Column("Name of the column"),
    "column_type": Column("Its type, as Ibis writes it"),
    "is_nullable": Column("Whether a row may have nothing in it"),
    "column_unit": Column("Unit that its figures are in"),
    "is_key": Column("Whether it is one of the columns that identify a row"),
    "version": Column("Number of the publication, counted over all tables of the warehouse"),
    "awaiting_table": Column("Full name of the table that is to be refreshed"),
    "awaiting_day": Column("Day of it that is to be refreshed", DAY),
    "changed_table": Column("Full name of the table without days whose change shows on that day"),
    "failed_table": Column("Full name of the table whose refresh failed"),
    "failed_day": Column("Day of it whose refresh failed; none: the whole table", DAY),
    "dump_version": Column("Version of the dump that could not be loaded; '' where none was"),
    "pruned_table": Column("Full name of the table"),
    "pruned_day": Column("Day of it whose rows were pruned", DAY),
    "built_table": Column("Full name of the table"),
    "built_day": Column("Day of it that was published; none: the whole table", DAY),
    "changed_version": Column("Number of the publication by which its rows became what they are"),
    "code_version": Column("Hash of the code that built it"),
    "stamp": Column("What the store told of the file that changes whenever the file does"),
    "content": Column("Hash of the file's content, or the store's own name for it"),
    "evaluated_at": Column("When the check was evaluated, or all alerts were", "UTC"),
    "checked_table": Column("Full name of the table that the check is of"),
    "check_name": Column("Name of the check"),
    "checked_day": Column("Day of the table that was looked at; none: the whole table", DAY),
    "kind": Column("What it is about: correctness, warnings, freshness or delivery"),
    "severity": Column("error: a wrong figure would reach a reader; warn: worth a look"),
    "passed": Column("Whether the check passed"),
    "measured": Column("What was measured; none: there was too little to measure"),
    "threshold": Column("The most that may be measured; none: it passes or it does not"),
    "rows_concerned": Column("Rows that the check found fault with", "rows"),
    "published_at": Column("When the table, or the day of it, was published", "UTC"),
    "figure": Column("What was counted: rows, warnings, quarantined, seconds…"),
    "number": Column("How many"),
    "objective_name": Column("Full name of the table, and the kind of the objective"),
    "objective_table": Column("Full name of the table that the objective is set for"),
    "target": Column("Share of days that are to be good", "ratio, 1.0 = all"),
    "days_good": Column("Days, of those measured, on which every check of the kind passed", "days"),
    "days_measured": Column("Days with results, of the last 28", "days"),
    "budget_left": Column(
        "Share that is left of the days that may be bad; below 0: the objective is missed",
        "ratio, 1.0 = all",
    ),
    "burn_rate": Column(
        "Share of bad days in the last 7 measured ÷ share that may be bad; 1: just sustainable"
    ),
    "signal": Column("What kind of thing the alert is about"),
    "subject": Column("What it is about: a check, a job, a table, a customer and product…"),
    "state": Column("ok, warning, alarm or recovered"),
    "state_before": Column("What the alert was before: ok, warning, alarm or recovered"),
    "level": Column("How many lines are crossed; 0: none"),
    "since": Column("When the last line was crossed", "UTC"),
    "crossed_at": Column("When it was noticed that a line was crossed", "UTC"),
    "reading": Column("What was measured then, in the signal's own unit"),
    "summary": Column("What is the matter, in a sentence"),
    "undelivered": Column("Routes that are still to be told, comma-separated; '' when all were"),
    # days
    "day": Column("The day that the row is about", DAY),
    "day_of_week": Column("1 = Monday … 7 = Sunday"),
    "day_name": Column("English name of the day of the week"),
    "is_weekend": Column("Whether the day is a Saturday or a Sunday"),
    "iso_year": Column("Year of the ISO 8601 week"),
    "iso_week": Column("ISO 8601 week, 1 to 53"),
    "month": Column("Month, 1 to 12"),
    "month_name": Column("English name of the month"),
    "quarter": Column("Quarter, 1 to 4"),
    "year": Column("Calendar year"),
    "month_start": Column("First day of the month", DAY),
    # dimensions
    "customer_key": Column("Key of a version of the customer: customer_id@valid_from"),
    "valid_from": Column("First day on which the row holds", DAY),
    "valid_to": Column("First day on which the row no longer holds; 9999-12-31 while open", DAY),
    "is_current": Column("Whether the row still holds"),
    "first_seen_on": Column("First day with usage", DAY),
    "last_seen_on": Column("Last day with usage", DAY),
    "daily_quantity": Column(
        "Entitled to on each day in force: quantity for capacity, its even share for consumable;"
        " null: without limit",
        PRODUCT_UNIT,
    ),
    "ceases_on": Column("First day on which the amendment is no longer in force", DAY),
    "period_starts_on": Column("First day of the period that the quantity is for", DAY),
    "period_ends_on": Column("First day after the period", DAY),
    "is_bundle": Column("Whether the product is sold for its components"),
    "silence_unknown": Column("Whether missing telemetry says nothing of the product's use"),
    "top_customer_id": Column("Last customer when parents are followed; itself without any"),
    "top_customer_name": Column("Name of that customer, as of the row's day"),
    "is_circular": Column("Whether following parents leads in a circle"),
    "annual_value_reporting": Column("The same in the reporting currency", "reporting currency"),
    # facts
    "amount": Column("quantity × unit_price", "currency"),
    "total_quantity": Column("Sum of the day's readings", PRODUCT_UNIT),
    "peak_quantity": Column("Greatest of the day's readings", PRODUCT_UNIT),
    "event_count": Column("Number of the day's readings", "events"),
    "entitled_quantity": Column("What the customer may use on the day", PRODUCT_UNIT),
    "entitlement_count": Column("Amendments in force on the day", "amendments"),
    "is_unlimited": Column("Whether any entitlement in force on the day is without limit"),
    "deployment_count": Column("Deployments with usage on the day", "deployments"),
    "unit_count": Column("Different units that the day's readings are counted in", "units"),
    "used_quantity": Column(
        "What the customer used on the day: peaks summed over deployments for capacity, "
        "totals for consumable",
        PRODUCT_UNIT,
    ),
    "consumption_ratio": Column(
        "used_quantity ÷ entitled_quantity; null: not entitled, or without limit", RATIO
    ),
    # reports
    "entitled_30d": Column(
        "Entitled, summed over those of the 30 days ending that day that are not without limit",
        PRODUCT_UNIT,
    ),
    "used_30d": Column("Used, summed over the 30 days ending that day", PRODUCT_UNIT),
    "used_limited_30d": Column(
        "Used, summed over those of the 30 days that are not without limit", PRODUCT_UNIT
    ),
    "consumption_30d": Column(
        "used_limited_30d ÷ entitled_30d; null: not entitled, or without limit on the day", RATIO
    ),
    "days_reported": Column("Days, of the 30, with usage reported, be it of nothing", "days"),
    "band": Column("unlimited, unentitled, no_telemetry, unused, over, healthy, low or at_risk"),
    "band_before": Column("Band 30 days before; absent: there was no row"),
    "consumption_before": Column("consumption_30d of 30 days before", RATIO),
    "customers": Column("Customers that the row sums up", "customers"),
    "over": Column("Customers in band over", "customers"),
    "healthy": Column("Customers in band healthy", "customers"),
    "low": Column("Customers in band low", "customers"),
    "at_risk": Column("Customers in band at_risk"),
    "unused": Column("Customers in band unused"),
    "unentitled": Column("Customers in band unentitled", "customers"),
    "unlimited": Column("Customers in band unlimited", "customers"),
    "no_telemetry": Column("Customers in band no_telemetry", "customers"),
    "days_left": Column("Days from last_day to ends_on", "days"),
    "annual_value": Column("What the entitlement is invoiced at for a year", "currency"),
    "renewed_by": Column("Entitlement that takes over; null: none does"),
    "renewed_quantity": Column("Quantity of that entitlement; null: without limit, or none"),
    # commitments
    "term_days": Column("Days from starts_on to ends_on", "days"),
    "elapsed_days": Column("Days of it until last_day", "days"),
    "remaining_days": Column("Days of it after last_day", "days"),
    "elapsed_pct": Column("elapsed_days ÷ term_days", RATIO),
    "observed_days": Column("Days of it that the mart knows of", "days"),
    "used_to_date": Column("Used of it on the days that the mart knows of", PRODUCT_UNIT),
    "peak_used": Column("Most that was used of it on a day", PRODUCT_UNIT),
    "used_estimated": Column(
        "used_to_date, and what was used before first_day at the same rate", PRODUCT_UNIT
    ),
    "used_pct": Column("used_estimated ÷ quantity; for capacity the mean day's share of it", RATIO),
    "burn_30d": Column("Used a day, over the last 30 days that the mart knows of", PRODUCT_UNIT),
    "projected": Column("Used in the end, at the rate of burn_30d", PRODUCT_UNIT),
    "projected_pct": Column("projected ÷ quantity", RATIO),
    "pace": Column("used_pct ÷ elapsed_pct; for capacity used_pct", RATIO),
    "exhausts_on": Column("Day on which all is used up, or will be; null: none of the term", DAY),
    "target_daily": Column("What may be used a day until the end", PRODUCT_UNIT),
    "overage": Column("projected above quantity", PRODUCT_UNIT),
    "unused_value": Column("Value a year of what is projected to be left", "reporting currency"),
    "overage_value": Column("Value a year of what is projected above", "reporting currency"),
    "status": Column("Where it is heading: one of the statuses of commitments"),
}
