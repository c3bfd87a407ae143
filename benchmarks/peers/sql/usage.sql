-- Usage by day, and the deployments that it comes from.

CREATE TABLE mart.fact_usage_daily AS
SELECT
    dump_day AS day,
    deployment_id,
    customer_id,
    product_id,
    min(infrastructure) AS infrastructure,
    sum(quantity) AS total_quantity,
    max(quantity) AS peak_quantity,
    count(*) AS event_count
FROM lake.raw_telemetry
GROUP BY dump_day, deployment_id, customer_id, product_id;

CREATE TABLE mart.dim_deployment AS
WITH
seen AS (
    SELECT
        deployment_id,
        min(day) AS first_seen_on,
        max(day) AS last_seen_on,
        count(DISTINCT customer_id) AS customers
    FROM mart.fact_usage_daily
    GROUP BY deployment_id
)
SELECT
    deployment_id,
    min(customer_id) AS customer_id,
    min(product_id) AS product_id,
    min(infrastructure) AS infrastructure,
    first_seen_on,
    last_seen_on,
    if(customers > 1, 'moved_deployment', '') AS meta__warnings
FROM mart.fact_usage_daily
JOIN seen USING (deployment_id)
WHERE day = last_seen_on
GROUP BY deployment_id, first_seen_on, last_seen_on, customers;
