select
    customer_id,
    currency,
    count(distinct invoice_id) as orders,
    min(day) as first_order_on,
    max(day) as last_order_on,
    sum(amount) as ordered
from {{ source('mart', 'fact_invoice_line') }}
group by customer_id, currency
