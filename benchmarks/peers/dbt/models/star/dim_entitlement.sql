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
    FROM {{ ref('raw_entitlements') }}
    WINDOW later AS (
        PARTITION BY entitlement_id ORDER BY amendment
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
)
SELECT * FROM terms WHERE valid_from < valid_to
