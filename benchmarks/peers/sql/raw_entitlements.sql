-- Entitlements: what is kept and flagged, what is set aside and why.
-- Of the rows with one key, that of the latest dump counts.

CREATE TEMP TABLE judged_entitlements AS
WITH
judged AS (
    SELECT
        *,
        CASE
            WHEN (amendment IS NULL AND amendment_text IS NOT NULL)
                OR (quantity IS NULL AND quantity_text IS NOT NULL)
                OR (starts_on IS NULL AND starts_on_text IS NOT NULL)
                OR (ends_on IS NULL AND ends_on_text IS NOT NULL)
                THEN 'unreadable_value'
            WHEN entitlement_id IS NULL OR amendment IS NULL OR customer_id IS NULL
                OR product_id IS NULL OR quantity IS NULL OR unit IS NULL OR metering IS NULL
                OR starts_on IS NULL OR ends_on IS NULL
                THEN 'missing_value'
            WHEN amendment < 0 OR quantity < 0 OR metering NOT IN ('capacity', 'consumable')
                OR starts_on > ends_on
                THEN 'out_of_range'
        END AS reason
    FROM read_entitlements
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY dump_day, entitlement_id, amendment, reason IS NULL
            ORDER BY
                quantity DESC, invoice_id DESC NULLS LAST, customer_id DESC, product_id DESC,
                unit DESC, metering DESC, starts_on DESC, ends_on DESC
        ) AS position
    FROM judged
)
SELECT
    * EXCLUDE (position)
    REPLACE (if(reason IS NULL AND position > 1, 'duplicate_key', reason) AS reason)
FROM ranked;

CREATE TABLE lake.raw_entitlements AS
SELECT
    entitlement_id,
    amendment,
    invoice_id,
    customer_id,
    product_id,
    quantity,
    unit,
    metering,
    starts_on,
    ends_on,
    dump_day,
    concat_ws(
        ';',
        if(NOT regexp_matches(customer_id, '^CUST-[0-9]+$'), 'invalid_customer_id', NULL),
        if(quantity > 1000000, 'unusual_quantity', NULL),
        if(quantity = 0 AND amendment = 0, 'zero_quantity', NULL)
    ) AS meta__warnings
FROM judged_entitlements
WHERE reason IS NULL
QUALIFY row_number() OVER (PARTITION BY entitlement_id, amendment ORDER BY dump_day DESC) = 1;

CREATE TABLE lake.quarantine_entitlements AS
SELECT
    entitlement_id,
    coalesce(amendment_text, amendment::VARCHAR) AS amendment,
    invoice_id,
    customer_id,
    product_id,
    coalesce(quantity_text, quantity::VARCHAR) AS quantity,
    unit,
    metering,
    coalesce(starts_on_text, starts_on::VARCHAR) AS starts_on,
    coalesce(ends_on_text, ends_on::VARCHAR) AS ends_on,
    NULL::VARCHAR AS line,
    dump_day,
    reason,
    file
FROM judged_entitlements
WHERE reason IS NOT NULL;

DROP TABLE judged_entitlements;
