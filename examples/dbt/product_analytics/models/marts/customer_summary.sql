select
    customers.customer_id,
    customers.customer_name,
    count(last_day.product_id) as products,
    avg(last_day.consumption_30d) as mean_consumption,
    sum(case when last_day.band in ('at_risk', 'unused') then 1 else 0 end) as products_at_risk
from {{ source('mart', 'dim_customer') }} as customers
left join {{ ref('last_day') }} as last_day on last_day.customer_id = customers.customer_id
where customers.is_current
group by customers.customer_id, customers.customer_name
