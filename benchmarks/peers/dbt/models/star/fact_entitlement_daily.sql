SELECT
    day,
    customer_id,
    product_id,
    sum(daily_quantity) AS entitled_quantity,
    count(*) AS entitlement_count
FROM {{ ref('reporting_day') }}
JOIN {{ ref('dim_entitlement') }} ON day >= valid_from AND day < valid_to
GROUP BY day, customer_id, product_id
