-- As ../raw_telemetry.sql, but rows are written as they are read: first the few keys that are
-- there more than once are found, so that only their rows, and those that break a rule, are kept
-- apart and ranked.

CREATE TEMP TABLE repeated AS
SELECT dump_day, hash(event_id) AS key
FROM read_telemetry
GROUP BY ALL
HAVING count(*) > 1;

CREATE TEMP VIEW judged_telemetry AS
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
    END AS reason,
    (dump_day, hash(event_id)) IN (SELECT (dump_day, key) FROM repeated) AS is_repeated
FROM read_telemetry;

CREATE TEMP MACRO telemetry_warnings(customer_id, quantity) AS concat_ws(
    ';',
    if(NOT regexp_matches(customer_id, '^CUST-[0-9]+$'), 'invalid_customer_id', NULL),
    if(quantity > 1000000, 'unusual_quantity', NULL)
);

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
    telemetry_warnings(customer_id, quantity) AS meta__warnings
FROM judged_telemetry
WHERE reason IS NULL AND NOT is_repeated;

CREATE TEMP TABLE exceptions AS
SELECT
    * EXCLUDE (is_repeated, position)
    REPLACE (if(reason IS NULL AND position > 1, 'duplicate_key', reason) AS reason)
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY dump_day, event_id, reason IS NULL
            ORDER BY
                event_ts DESC, quantity DESC, customer_id DESC, deployment_id DESC,
                product_id DESC, infrastructure DESC NULLS LAST, unit DESC
        ) AS position
    FROM judged_telemetry
    WHERE reason IS NOT NULL OR is_repeated
);

INSERT INTO lake.raw_telemetry BY NAME
SELECT
    * EXCLUDE (event_ts_text, quantity_text, file, reason),
    telemetry_warnings(customer_id, quantity) AS meta__warnings
FROM exceptions
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
FROM exceptions
WHERE reason IS NOT NULL;
