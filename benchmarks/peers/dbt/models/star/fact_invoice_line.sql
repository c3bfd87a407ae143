SELECT
    invoice_id,
    line_number,
    invoice_date AS day,
    customer_key,
    raw_invoices.customer_id,
    product_id,
    quantity,
    unit_price,
    quantity::DECIMAL(38, 4) * unit_price::DECIMAL(38, 4) AS amount,
    currency,
    term_months
FROM {{ ref('raw_invoices') }}
JOIN {{ ref('dim_customer') }}
    ON raw_invoices.customer_id = dim_customer.customer_id
    AND invoice_date >= valid_from
    AND invoice_date < valid_to
