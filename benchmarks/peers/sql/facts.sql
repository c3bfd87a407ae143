-- The other facts of the star schema, daily grain.

CREATE TABLE mart.fact_invoice_line AS
SELECT
    invoice_id,
    line_number,
    invoice_date AS day,
    customer_key,
    raw_invoices.customer_id,
    product_id,
    quantity,
    unit_price,
    quantity::DECIMAL(38, 4) * unit_price::DECIMAL(38, 4) AS amount,
    currency,
    term_months
FROM lake.raw_invoices
JOIN mart.dim_customer
    ON raw_invoices.customer_id = dim_customer.customer_id
    AND invoice_date >= valid_from
    AND invoice_date < valid_to;

CREATE TABLE mart.fact_entitlement_daily AS
SELECT
    day,
    customer_id,
    product_id,
    sum(daily_quantity) AS entitled_quantity,
    count(*) AS entitlement_count
FROM mart.reporting_day
JOIN mart.dim_entitlement ON day >= valid_from AND day < valid_to
GROUP BY day, customer_id, product_id;

CREATE TABLE mart.fact_consumption_daily AS
WITH
used AS (
    SELECT
        day,
        customer_id,
        product_id,
        sum(if(metering = 'capacity', peak_quantity, total_quantity)) AS used_quantity
    FROM mart.fact_usage_daily
    JOIN mart.dim_product USING (product_id)
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
    FROM mart.fact_entitlement_daily
    FULL JOIN used USING (day, customer_id, product_id)
)
SELECT
    * EXCLUDE (is_used),
    used_quantity / nullif(entitled_quantity, 0) AS consumption_ratio,
    if(entitled_quantity = 0, 'unentitled_usage', '') AS meta__warnings
FROM both_sides
WHERE entitled_quantity > 0 OR is_used;
