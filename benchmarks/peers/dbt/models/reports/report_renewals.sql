WITH
today AS (
    SELECT max(day) AS last_day FROM {{ ref('reporting_day') }}
),
ending AS (
    SELECT dim_entitlement.*, last_day, ends_on - last_day AS days_left
    FROM {{ ref('dim_entitlement') }}, today
    WHERE valid_from <= last_day AND valid_to > last_day
        AND quantity > 0 AND ends_on - last_day <= 90
),
consumed AS (
    SELECT
        customer_id,
        product_id,
        sum(entitled_quantity) AS entitled_30d,
        sum(used_quantity) AS used_30d
    FROM {{ ref('fact_consumption_daily') }}, today
    WHERE day > last_day - 30 AND day <= last_day
    GROUP BY customer_id, product_id
),
valued AS (
    SELECT
        invoice_id,
        product_id,
        sum(amount::DOUBLE / nullif(term_months, 0) * 12) AS annual_value,
        min(currency) AS currency
    FROM {{ ref('fact_invoice_line') }}
    GROUP BY invoice_id, product_id
)
SELECT
    entitlement_id,
    ending.customer_id,
    customer_name,
    product_id,
    product_name,
    quantity,
    ending.unit,
    ends_on,
    days_left,
    used_30d / nullif(entitled_30d, 0) AS consumption_30d,
    {{ band('coalesce(used_30d, 0)', 'coalesce(entitled_30d, 0)') }} AS band,
    annual_value,
    currency,
    {{ band('coalesce(used_30d, 0)', 'coalesce(entitled_30d, 0)') }} IN ('unused', 'at_risk') AS at_risk
FROM ending
JOIN {{ ref('dim_customer') }}
    ON ending.customer_id = dim_customer.customer_id
    AND last_day >= dim_customer.valid_from
    AND last_day < dim_customer.valid_to
JOIN {{ ref('dim_product') }} USING (product_id)
LEFT JOIN consumed ON ending.customer_id = consumed.customer_id
    AND product_id = consumed.product_id
LEFT JOIN valued ON ending.invoice_id = valued.invoice_id AND product_id = valued.product_id
