SELECT
    dump_day AS day,
    deployment_id,
    customer_id,
    product_id,
    min(infrastructure) AS infrastructure,
    sum(quantity) AS total_quantity,
    max(quantity) AS peak_quantity,
    count(*) AS event_count
FROM {{ ref('raw_telemetry') }}
GROUP BY dump_day, deployment_id, customer_id, product_id
