SELECT
    filled(entitlement_id) AS entitlement_id,
    amendment,
    filled(invoice_id) AS invoice_id,
    filled(customer_id) AS customer_id,
    filled(product_id) AS product_id,
    quantity,
    filled(unit) AS unit,
    filled(metering) AS metering,
    starts_on,
    ends_on,
    NULL::VARCHAR AS amendment_text,
    NULL::VARCHAR AS quantity_text,
    NULL::VARCHAR AS starts_on_text,
    NULL::VARCHAR AS ends_on_text,
    parse_filename(filename, true)::DATE AS dump_day,
    'entitlements/' || parse_filename(filename) AS file
FROM read_parquet(getvariable('lake') || '/entitlements/*.parquet', filename = true)
