-- The other dimensions of the star schema.

CREATE TABLE mart.reporting_day AS
SELECT unnest(generate_series(min(day), max(day), INTERVAL 1 DAY))::DATE AS day
FROM (
    SELECT parse_filename(file, true)::DATE AS day
    FROM glob(getvariable('lake') || '/*/*.*')
);

CREATE TABLE mart.dim_day AS
SELECT
    day::DATE AS day,
    isodow(day) AS day_of_week,
    dayname(day) AS day_name,
    isodow(day) >= 6 AS is_weekend,
    isoyear(day) AS iso_year,
    week(day) AS iso_week,
    month(day) AS month,
    monthname(day) AS month_name,
    quarter(day) AS quarter,
    year(day) AS year,
    date_trunc('month', day)::DATE AS month_start
FROM generate_series(DATE '2020-01-01', DATE '2039-12-31', INTERVAL 1 DAY) AS days (day);

CREATE TABLE mart.dim_customer AS
WITH
named AS (
    SELECT customer_id, invoice_date, customer_name
    FROM lake.raw_invoices
    QUALIFY row_number() OVER (
        PARTITION BY customer_id, invoice_date ORDER BY invoice_id DESC, line_number DESC
    ) = 1
),
changes AS (
    SELECT *
    FROM named
    QUALIFY customer_name IS DISTINCT FROM
        lag(customer_name) OVER (PARTITION BY customer_id ORDER BY invoice_date)
),
invoiced AS (
    SELECT
        customer_id,
        customer_name,
        if(row_number() OVER in_order = 1, DATE '1900-01-01', invoice_date) AS valid_from,
        coalesce(lead(invoice_date) OVER in_order, DATE '9999-12-31') AS valid_to,
        '' AS meta__warnings
    FROM changes
    WINDOW in_order AS (PARTITION BY customer_id ORDER BY invoice_date)
),
inferred AS (
    SELECT
        customer_id,
        customer_id AS customer_name,
        DATE '1900-01-01' AS valid_from,
        DATE '9999-12-31' AS valid_to,
        'unknown_customer' AS meta__warnings
    FROM (
        SELECT customer_id FROM lake.raw_entitlements
        UNION
        SELECT customer_id FROM mart.fact_usage_daily
        EXCEPT
        SELECT customer_id FROM lake.raw_invoices
    )
)
SELECT
    customer_id || '@' || valid_from AS customer_key,
    customer_id,
    customer_name,
    valid_from,
    valid_to,
    valid_to = DATE '9999-12-31' AS is_current,
    meta__warnings
FROM (SELECT * FROM invoiced UNION ALL SELECT * FROM inferred);

CREATE TABLE mart.dim_product AS
WITH
named AS (
    SELECT
        product_id,
        arg_max(product_name, (invoice_date, invoice_id, line_number)) AS product_name
    FROM lake.raw_invoices
    GROUP BY product_id
),
metered AS (
    SELECT
        product_id,
        arg_max(unit, (starts_on, entitlement_id, amendment)) AS unit,
        arg_max(metering, (starts_on, entitlement_id, amendment)) AS metering,
        count(DISTINCT unit) > 1 OR count(DISTINCT metering) > 1 AS is_conflicting
    FROM lake.raw_entitlements
    GROUP BY product_id
),
used AS (
    SELECT product_id, min(unit) AS unit FROM lake.raw_telemetry GROUP BY product_id
)
SELECT
    product_id,
    coalesce(named.product_name, product_id) AS product_name,
    coalesce(metered.unit, used.unit) AS unit,
    coalesce(metered.metering, 'capacity') AS metering,
    concat_ws(
        ';',
        if(metered.is_conflicting, 'conflicting_metering', NULL),
        if(named.product_name IS NULL, 'never_invoiced', NULL)
    ) AS meta__warnings
FROM named
FULL JOIN metered USING (product_id)
FULL JOIN used USING (product_id);

CREATE TABLE mart.dim_entitlement AS
WITH terms AS (
    SELECT
        * EXCLUDE (dump_day, meta__warnings, starts_on),
        if(
            metering = 'consumable',
            quantity::DOUBLE / nullif(ends_on - starts_on, 0),
            quantity::DOUBLE
        ) AS daily_quantity,
        starts_on AS valid_from,
        least(ends_on, coalesce(min(starts_on) OVER later, ends_on)) AS valid_to
    FROM lake.raw_entitlements
    WINDOW later AS (
        PARTITION BY entitlement_id ORDER BY amendment
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
)
SELECT * FROM terms WHERE valid_from < valid_to;
