WITH
used AS (
    SELECT DISTINCT day, customer_id, product_id
    FROM {{ ref('fact_usage_daily') }}
    WHERE total_quantity > 0
),
active AS (
    SELECT DISTINCT reporting_day.day, customer_id, product_id
    FROM used
    JOIN {{ ref('reporting_day') }}
        ON reporting_day.day >= used.day AND reporting_day.day < used.day + 30
)
SELECT day, product_id, product_name, active.customer_id, customer_name
FROM active
JOIN {{ ref('dim_customer') }}
    ON active.customer_id = dim_customer.customer_id AND day >= valid_from AND day < valid_to
JOIN {{ ref('dim_product') }} USING (product_id)
