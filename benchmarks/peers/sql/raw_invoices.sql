-- Invoice lines: what is kept and flagged, what is set aside and why.
-- Of the rows with one key, that of the latest dump counts.

CREATE TEMP TABLE judged_invoices AS
WITH
judged AS (
    SELECT
        *,
        CASE
            WHEN (line_number IS NULL AND line_number_text IS NOT NULL)
                OR (invoice_date IS NULL AND invoice_date_text IS NOT NULL)
                OR (quantity IS NULL AND quantity_text IS NOT NULL)
                OR (unit_price IS NULL AND unit_price_text IS NOT NULL)
                OR (term_months IS NULL AND term_months_text IS NOT NULL)
                THEN 'unreadable_value'
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
    FROM read_invoices
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
FROM ranked;

CREATE TABLE lake.raw_invoices AS
SELECT
    invoice_id,
    line_number,
    invoice_date,
    customer_id,
    customer_name,
    product_id,
    product_name,
    quantity,
    unit_price,
    currency,
    term_months,
    dump_day,
    concat_ws(
        ';',
        if(quantity < 0, 'credit', NULL),
        if(NOT regexp_matches(customer_id, '^CUST-[0-9]+$'), 'invalid_customer_id', NULL),
        if(quantity > 1000000, 'unusual_quantity', NULL),
        if(quantity = 0, 'zero_quantity', NULL)
    ) AS meta__warnings
FROM judged_invoices
WHERE reason IS NULL
QUALIFY row_number() OVER (PARTITION BY invoice_id, line_number ORDER BY dump_day DESC) = 1;

CREATE TABLE lake.quarantine_invoices AS
SELECT
    invoice_id,
    coalesce(line_number_text, line_number::VARCHAR) AS line_number,
    coalesce(invoice_date_text, invoice_date::VARCHAR) AS invoice_date,
    customer_id,
    customer_name,
    product_id,
    product_name,
    coalesce(quantity_text, quantity::VARCHAR) AS quantity,
    coalesce(unit_price_text, unit_price::VARCHAR) AS unit_price,
    currency,
    coalesce(term_months_text, term_months::VARCHAR) AS term_months,
    NULL::VARCHAR AS line,
    dump_day,
    reason,
    file
FROM judged_invoices
WHERE reason IS NOT NULL;

DROP TABLE judged_invoices;
