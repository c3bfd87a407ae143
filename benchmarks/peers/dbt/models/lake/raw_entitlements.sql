SELECT
    entitlement_id,
    amendment,
    invoice_id,
    customer_id,
    product_id,
    quantity,
    unit,
    metering,
    starts_on,
    ends_on,
    dump_day,
    concat_ws(
        ';',
        if(NOT regexp_matches(customer_id, '^CUST-[0-9]+$'), 'invalid_customer_id', NULL),
        if(quantity > 1000000, 'unusual_quantity', NULL),
        if(quantity = 0 AND amendment = 0, 'zero_quantity', NULL)
    ) AS meta__warnings
FROM {{ ref('judged_entitlements') }}
WHERE reason IS NULL
QUALIFY row_number() OVER (PARTITION BY entitlement_id, amendment ORDER BY dump_day DESC) = 1
