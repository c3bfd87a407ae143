SELECT
    filled(event_id) AS event_id,
    event_ts,
    filled(customer_id) AS customer_id,
    filled(deployment_id) AS deployment_id,
    filled(product_id) AS product_id,
    filled(infrastructure) AS infrastructure,
    quantity,
    filled(unit) AS unit,
    NULL::VARCHAR AS event_ts_text,
    NULL::VARCHAR AS quantity_text,
    parse_filename(filename, true)::DATE AS dump_day,
    'telemetry/' || parse_filename(filename) AS file
FROM read_parquet(getvariable('lake') || '/telemetry/*.parquet', filename = true)
