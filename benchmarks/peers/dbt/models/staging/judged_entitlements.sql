-- Rows with the first reason that they have to be set aside.
WITH
dumped AS (
    SELECT
        {{ filled('entitlement_id') }},
        amendment,
        {{ filled('invoice_id') }},
        {{ filled('customer_id') }},
        {{ filled('product_id') }},
        quantity,
        {{ filled('unit') }},
        {{ filled('metering') }},
        starts_on,
        ends_on,
        parse_filename(filename, true)::DATE AS dump_day,
        'entitlements/' || parse_filename(filename) AS file
    FROM {{ source('dumps', 'entitlements') }}
),
judged AS (
    SELECT
        *,
        CASE
            WHEN entitlement_id IS NULL OR amendment IS NULL OR customer_id IS NULL
                OR product_id IS NULL OR quantity IS NULL OR unit IS NULL OR metering IS NULL
                OR starts_on IS NULL OR ends_on IS NULL
                THEN 'missing_value'
            WHEN amendment < 0 OR quantity < 0 OR metering NOT IN ('capacity', 'consumable')
                OR starts_on > ends_on
                THEN 'out_of_range'
        END AS reason
    FROM dumped
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
FROM ranked
