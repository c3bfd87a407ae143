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
FROM {{ ref('judged_invoices') }}
WHERE reason IS NULL
QUALIFY row_number() OVER (PARTITION BY invoice_id, line_number ORDER BY dump_day DESC) = 1
