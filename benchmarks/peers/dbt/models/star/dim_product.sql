WITH
named AS (
    SELECT
        product_id,
        arg_max(product_name, (invoice_date, invoice_id, line_number)) AS product_name
    FROM {{ ref('raw_invoices') }}
    GROUP BY product_id
),
metered AS (
    SELECT
        product_id,
        arg_max(unit, (starts_on, entitlement_id, amendment)) AS unit,
        arg_max(metering, (starts_on, entitlement_id, amendment)) AS metering,
        count(DISTINCT unit) > 1 OR count(DISTINCT metering) > 1 AS is_conflicting
    FROM {{ ref('raw_entitlements') }}
    GROUP BY product_id
),
used AS (
    SELECT product_id, min(unit) AS unit FROM {{ ref('raw_telemetry') }} GROUP BY product_id
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
FULL JOIN used USING (product_id)
