-- consumption on the last day that the mart has
select day, customer_id, product_id, product_name, used_30d, entitled_30d, consumption_30d, band
from {{ source('mart', 'report_consumption_daily') }}
where day = (select max(day) from {{ source('mart', 'report_consumption_daily') }})
