WITH
seen AS (
    SELECT
        deployment_id,
        min(day) AS first_seen_on,
        max(day) AS last_seen_on,
        count(DISTINCT customer_id) AS customers
    FROM {{ ref('fact_usage_daily') }}
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
FROM {{ ref('fact_usage_daily') }}
JOIN seen USING (deployment_id)
WHERE day = last_seen_on
GROUP BY deployment_id, first_seen_on, last_seen_on, customers
