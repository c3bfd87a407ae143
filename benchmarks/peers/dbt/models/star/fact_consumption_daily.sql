WITH
used AS (
    SELECT
        day,
        customer_id,
        product_id,
        sum(if(metering = 'capacity', peak_quantity, total_quantity)) AS used_quantity
    FROM {{ ref('fact_usage_daily') }}
    JOIN {{ ref('dim_product') }} USING (product_id)
    GROUP BY day, customer_id, product_id
),
both_sides AS (
    SELECT
        day,
        customer_id,
        product_id,
        coalesce(entitled_quantity, 0) AS entitled_quantity,
        coalesce(used_quantity, 0) AS used_quantity,
        used_quantity IS NOT NULL AS is_used
    FROM {{ ref('fact_entitlement_daily') }}
    FULL JOIN used USING (day, customer_id, product_id)
)
SELECT
    * EXCLUDE (is_used),
    used_quantity / nullif(entitled_quantity, 0) AS consumption_ratio,
    if(entitled_quantity = 0, 'unentitled_usage', '') AS meta__warnings
FROM both_sides
WHERE entitled_quantity > 0 OR is_used
