select * from {{ ref('customer_summary') }} where mean_consumption < 0
