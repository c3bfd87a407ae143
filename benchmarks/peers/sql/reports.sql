-- The reports.

CREATE TABLE mart.report_consumption_daily AS
WITH sums AS (
    SELECT
        reporting_day.day,
        customer_id,
        product_id,
        sum(entitled_quantity) AS entitled_30d,
        sum(used_quantity) AS used_30d
    FROM mart.fact_consumption_daily AS fact
    JOIN mart.reporting_day
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
    band(used_30d, entitled_30d) AS band
FROM sums
JOIN mart.dim_customer
    ON sums.customer_id = dim_customer.customer_id AND day >= valid_from AND day < valid_to
JOIN mart.dim_product USING (product_id)
WHERE entitled_30d > 0 OR used_30d > 0;

CREATE TABLE mart.report_active_customers_by_product_daily AS
WITH
used AS (
    SELECT DISTINCT day, customer_id, product_id
    FROM mart.fact_usage_daily
    WHERE total_quantity > 0
),
active AS (
    SELECT DISTINCT reporting_day.day, customer_id, product_id
    FROM used
    JOIN mart.reporting_day
        ON reporting_day.day >= used.day AND reporting_day.day < used.day + 30
)
SELECT day, product_id, product_name, active.customer_id, customer_name
FROM active
JOIN mart.dim_customer
    ON active.customer_id = dim_customer.customer_id AND day >= valid_from AND day < valid_to
JOIN mart.dim_product USING (product_id);

CREATE TABLE mart.report_renewals AS
WITH
today AS (
    SELECT max(day) AS last_day FROM mart.reporting_day
),
ending AS (
    SELECT dim_entitlement.*, last_day, ends_on - last_day AS days_left
    FROM mart.dim_entitlement, today
    WHERE valid_from <= last_day AND valid_to > last_day
        AND quantity > 0 AND ends_on - last_day <= 90
),
consumed AS (
    SELECT
        customer_id,
        product_id,
        sum(entitled_quantity) AS entitled_30d,
        sum(used_quantity) AS used_30d
    FROM mart.fact_consumption_daily, today
    WHERE day > last_day - 30 AND day <= last_day
    GROUP BY customer_id, product_id
),
valued AS (
    SELECT
        invoice_id,
        product_id,
        sum(amount::DOUBLE / nullif(term_months, 0) * 12) AS annual_value,
        min(currency) AS currency
    FROM mart.fact_invoice_line
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
    band(coalesce(used_30d, 0), coalesce(entitled_30d, 0)) AS band,
    annual_value,
    currency,
    band(coalesce(used_30d, 0), coalesce(entitled_30d, 0)) IN ('unused', 'at_risk') AS at_risk
FROM ending
JOIN mart.dim_customer
    ON ending.customer_id = dim_customer.customer_id
    AND last_day >= dim_customer.valid_from
    AND last_day < dim_customer.valid_to
JOIN mart.dim_product USING (product_id)
LEFT JOIN consumed ON ending.customer_id = consumed.customer_id
    AND product_id = consumed.product_id
LEFT JOIN valued ON ending.invoice_id = valued.invoice_id AND product_id = valued.product_id;
