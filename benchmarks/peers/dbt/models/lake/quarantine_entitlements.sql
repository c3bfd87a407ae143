SELECT
    entitlement_id,
    amendment::VARCHAR AS amendment,
    invoice_id,
    customer_id,
    product_id,
    quantity::VARCHAR AS quantity,
    unit,
    metering,
    starts_on::VARCHAR AS starts_on,
    ends_on::VARCHAR AS ends_on,
    NULL::VARCHAR AS line,
    dump_day,
    reason,
    file
FROM {{ ref('judged_entitlements') }}
WHERE reason IS NOT NULL
