WITH
named AS (
    SELECT customer_id, invoice_date, customer_name
    FROM {{ ref('raw_invoices') }}
    QUALIFY row_number() OVER (
        PARTITION BY customer_id, invoice_date ORDER BY invoice_id DESC, line_number DESC
    ) = 1
),
changes AS (
    SELECT *
    FROM named
    QUALIFY customer_name IS DISTINCT FROM
        lag(customer_name) OVER (PARTITION BY customer_id ORDER BY invoice_date)
),
invoiced AS (
    SELECT
        customer_id,
        customer_name,
        if(row_number() OVER in_order = 1, DATE '1900-01-01', invoice_date) AS valid_from,
        coalesce(lead(invoice_date) OVER in_order, DATE '9999-12-31') AS valid_to,
        '' AS meta__warnings
    FROM changes
    WINDOW in_order AS (PARTITION BY customer_id ORDER BY invoice_date)
),
inferred AS (
    SELECT
        customer_id,
        customer_id AS customer_name,
        DATE '1900-01-01' AS valid_from,
        DATE '9999-12-31' AS valid_to,
        'unknown_customer' AS meta__warnings
    FROM (
        SELECT customer_id FROM {{ ref('raw_entitlements') }}
        UNION
        SELECT customer_id FROM {{ ref('fact_usage_daily') }}
        EXCEPT
        SELECT customer_id FROM {{ ref('raw_invoices') }}
    )
)
SELECT
    customer_id || '@' || valid_from AS customer_key,
    customer_id,
    customer_name,
    valid_from,
    valid_to,
    valid_to = DATE '9999-12-31' AS is_current,
    meta__warnings
FROM (SELECT * FROM invoiced UNION ALL SELECT * FROM inferred)
