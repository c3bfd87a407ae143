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
    "version": Column("Number of the publication, counted over all tables of the warehouse"),
    "awaiting_table": Column("Full name of the table that is to be refreshed"),
    "awaiting_day": Column("Day of it that is to be refreshed", DAY),
    "changed_table": Column("Full name of the table without days whose change shows on that day"),
    "failed_table": Column("Full name of the table whose refresh failed"),
    "failed_day": Column("Day of it whose refresh failed; none: the whole table", DAY),
    "dump_version": Column("Version of the dump that could not be loaded; '' where none was"),
    "built_table": Column("Full name of the table"),
    "built_day": Column("Day of it that was published; none: the whole table", DAY),
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
        "Entitled to on each day in force: quantity for capacity, its even share for consumable",
        PRODUCT_UNIT,
    ),
    # facts
    "amount": Column("quantity × unit_price", "currency"),
    "total_quantity": Column("Sum of the day's readings", PRODUCT_UNIT),
    "peak_quantity": Column("Greatest of the day's readings", PRODUCT_UNIT),
    "event_count": Column("Number of the day's readings", "events"),
    "entitled_quantity": Column("What the customer may use on the day", PRODUCT_UNIT),
    "entitlement_count": Column("Amendments in force on the day", "amendments"),
    "used_quantity": Column(
        "What the customer used on the day: peaks summed over deployments for capacity, "
        "totals for consumable",
        PRODUCT_UNIT,
    ),
    "consumption_ratio": Column("used_quantity ÷ entitled_quantity; null: not entitled", RATIO),
    # reports
    "entitled_30d": Column("Entitled, summed over the 30 days ending that day", PRODUCT_UNIT),
    "used_30d": Column("Used, summed over the 30 days ending that day", PRODUCT_UNIT),
    "consumption_30d": Column("used_30d ÷ entitled_30d; null: not entitled", RATIO),
    "band": Column("over, healthy, low, at_risk, unused or unentitled"),
    "days_left": Column("Days from last_day to ends_on", "days"),
    "annual_value": Column("What the entitlement is invoiced at for a year", "currency"),
    "at_risk": Column("Whether the band is unused or at_risk"),
}
