select
    products.product_id,
    products.product_name,
    count(distinct last_day.customer_id) as customers,
    sum(last_day.used_30d) as used_30d
from {{ source('mart', 'dim_product') }} as products
left join {{ ref('last_day') }} as last_day on last_day.product_id = products.product_id
group by products.product_id, products.product_name
