-- Rows with the first reason that they have to be set aside.
WITH
dumped AS (
    SELECT
        {{ filled('event_id') }},
        event_ts,
        {{ filled('customer_id') }},
        {{ filled('deployment_id') }},
        {{ filled('product_id') }},
        {{ filled('infrastructure') }},
        quantity,
        {{ filled('unit') }},
        parse_filename(filename, true)::DATE AS dump_day,
        'telemetry/' || parse_filename(filename) AS file
    FROM {{ source('dumps', 'telemetry') }}
),
judged AS (
    SELECT
        *,
        CASE
            WHEN event_id IS NULL OR event_ts IS NULL OR customer_id IS NULL
                OR deployment_id IS NULL OR product_id IS NULL OR quantity IS NULL OR unit IS NULL
                THEN 'missing_value'
            WHEN NOT (quantity >= 0 AND quantity < 'inf'::DOUBLE) THEN 'out_of_range'
            WHEN event_ts::DATE <> dump_day THEN 'wrong_day'
        END AS reason
    FROM dumped
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
FROM ranked
