WITH sums AS (
    SELECT
        reporting_day.day,
        customer_id,
        product_id,
        sum(entitled_quantity) AS entitled_30d,
        sum(used_quantity) AS used_30d
    FROM {{ ref('fact_consumption_daily') }} AS fact
    JOIN {{ ref('reporting_day') }}
        ON reporting_day.day >= fact.day AND reporting_day.day < fact.day + 30
    GROUP BY reporting_day.day, customer_id, product_id
)
SELECT
    day,
    sums.customer_id,
    customer_name,
    product_id,
    product_name,
    entitled_30d,
    used_30d,
    used_30d / nullif(entitled_30d, 0) AS consumption_30d,
    {{ band('used_30d', 'entitled_30d') }} AS band
FROM sums
JOIN {{ ref('dim_customer') }}
    ON sums.customer_id = dim_customer.customer_id AND day >= valid_from AND day < valid_to
JOIN {{ ref('dim_product') }} USING (product_id)
WHERE entitled_30d > 0 OR used_30d > 0
