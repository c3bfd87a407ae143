SELECT
    event_id,
    event_ts::VARCHAR AS event_ts,
    customer_id,
    deployment_id,
    product_id,
    infrastructure,
    quantity::VARCHAR AS quantity,
    unit,
    NULL::VARCHAR AS line,
    dump_day,
    reason,
    file
FROM {{ ref('judged_telemetry') }}
WHERE reason IS NOT NULL
