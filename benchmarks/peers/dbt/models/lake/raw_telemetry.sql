SELECT
    event_id,
    event_ts,
    customer_id,
    deployment_id,
    product_id,
    infrastructure,
    quantity,
    unit,
    dump_day,
    concat_ws(
        ';',
        if(NOT regexp_matches(customer_id, '^CUST-[0-9]+$'), 'invalid_customer_id', NULL),
        if(quantity > 1000000, 'unusual_quantity', NULL)
    ) AS meta__warnings
FROM {{ ref('judged_telemetry') }}
WHERE reason IS NULL
