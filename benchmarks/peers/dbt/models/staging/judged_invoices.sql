-- Rows with the first reason that they have to be set aside.
WITH
dumped AS (
    SELECT
        {{ filled('invoice_id') }},
        line_number,
        invoice_date,
        {{ filled('customer_id') }},
        {{ filled('customer_name') }},
        {{ filled('product_id') }},
        {{ filled('product_name') }},
        quantity,
        unit_price,
        {{ filled('currency') }},
        term_months,
        parse_filename(filename, true)::DATE AS dump_day,
        'invoices/' || parse_filename(filename) AS file
    FROM {{ source('dumps', 'invoices') }}
),
judged AS (
    SELECT
        *,
        CASE
            WHEN invoice_id IS NULL OR line_number IS NULL OR invoice_date IS NULL
                OR customer_id IS NULL OR customer_name IS NULL OR product_id IS NULL
                OR product_name IS NULL OR quantity IS NULL OR unit_price IS NULL
                OR currency IS NULL OR term_months IS NULL
                THEN 'missing_value'
            WHEN line_number < 1 OR unit_price < 0 OR term_months < 0
                OR NOT regexp_matches(currency, '^[A-Z]{3}$')
                THEN 'out_of_range'
            WHEN invoice_date > dump_day THEN 'wrong_day'
        END AS reason
    FROM dumped
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY dump_day, invoice_id, line_number, reason IS NULL
            ORDER BY
                quantity DESC, invoice_date DESC, customer_id DESC, customer_name DESC,
                product_id DESC, product_name DESC, unit_price DESC, currency DESC,
                term_months DESC
        ) AS position
    FROM judged
)
SELECT
    * EXCLUDE (position)
    REPLACE (if(reason IS NULL AND position > 1, 'duplicate_key', reason) AS reason)
FROM ranked
