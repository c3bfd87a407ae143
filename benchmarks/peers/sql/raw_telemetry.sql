-- Telemetry: what is kept and flagged, what is set aside and why.

CREATE TEMP TABLE judged_telemetry AS
WITH
judged AS (
    SELECT
        *,
        CASE
            WHEN (event_ts IS NULL AND event_ts_text IS NOT NULL)
                OR (quantity IS NULL AND quantity_text IS NOT NULL)
                THEN 'unreadable_value'
            WHEN event_id IS NULL OR event_ts IS NULL OR customer_id IS NULL
                OR deployment_id IS NULL OR product_id IS NULL OR quantity IS NULL OR unit IS NULL
                THEN 'missing_value'
            WHEN NOT (quantity >= 0 AND quantity < 'inf'::DOUBLE) THEN 'out_of_range'
            WHEN event_ts::DATE <> dump_day THEN 'wrong_day'
        END AS reason
    FROM read_telemetry
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY dump_day, event_id, reason IS NULL
            ORDER BY
                event_ts DESC, quantity DESC, customer_id DESC, deployment_id DESC,
                product_id DESC, infrastructure DESC NULLS LAST, unit DESC
        ) AS position
    FROM judged
)
SELECT
    * EXCLUDE (position)
    REPLACE (if(reason IS NULL AND position > 1, 'duplicate_key', reason) AS reason)
FROM ranked;

CREATE TABLE lake.raw_telemetry AS
SELECT
    event_id,
    event_ts,
    customer_id,
    deployment_id,
    product_id,
    infrastructure,
    quantity,
    unit,
    dump_day,
    concat_ws(
        ';',
        if(NOT regexp_matches(customer_id, '^CUST-[0-9]+$'), 'invalid_customer_id', NULL),
        if(quantity > 1000000, 'unusual_quantity', NULL)
    ) AS meta__warnings
FROM judged_telemetry
WHERE reason IS NULL;

CREATE TABLE lake.quarantine_telemetry AS
SELECT
    event_id,
    coalesce(event_ts_text, event_ts::VARCHAR) AS event_ts,
    customer_id,
    deployment_id,
    product_id,
    infrastructure,
    coalesce(quantity_text, quantity::VARCHAR) AS quantity,
    unit,
    NULL::VARCHAR AS line,
    dump_day,
    reason,
    file
FROM judged_telemetry
WHERE reason IS NOT NULL;

DROP TABLE judged_telemetry;
