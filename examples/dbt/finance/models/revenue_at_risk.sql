select
    renewals.customer_id,
    renewals.customer_name,
    renewals.product_id,
    renewals.ends_on,
    renewals.annual_value_reporting,
    summary.mean_consumption
from {{ source('mart', 'report_renewals') }} as renewals
left join {{ source('product_analytics', 'customer_summary') }} as summary
    on summary.customer_id = renewals.customer_id
where renewals.at_risk
