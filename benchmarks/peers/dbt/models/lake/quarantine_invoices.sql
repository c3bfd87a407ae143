SELECT
    invoice_id,
    line_number::VARCHAR AS line_number,
    invoice_date::VARCHAR AS invoice_date,
    customer_id,
    customer_name,
    product_id,
    product_name,
    quantity::VARCHAR AS quantity,
    unit_price::VARCHAR AS unit_price,
    currency,
    term_months::VARCHAR AS term_months,
    NULL::VARCHAR AS line,
    dump_day,
    reason,
    file
FROM {{ ref('judged_invoices') }}
WHERE reason IS NOT NULL
