SELECT
    filled(event_id) AS event_id,
    try_cast(event_ts AS TIMESTAMP) AS event_ts,
    filled(customer_id) AS customer_id,
    filled(deployment_id) AS deployment_id,
    filled(product_id) AS product_id,
    filled(infrastructure) AS infrastructure,
    try_cast(quantity AS DOUBLE) AS quantity,
    filled(unit) AS unit,
    filled(event_ts) AS event_ts_text,
    filled(quantity) AS quantity_text,
    parse_filename(filename, true)::DATE AS dump_day,
    'telemetry/' || parse_filename(filename) AS file
FROM read_csv(
    getvariable('lake') || '/telemetry/*.csv',
    filename = true,
    auto_detect = false,
    header = true,
    delim = ',',
    quote = '"',
    escape = '"',
    ignore_errors = true,
    store_rejects = true,
    columns = {
        event_id: 'VARCHAR',
        event_ts: 'VARCHAR',
        customer_id: 'VARCHAR',
        deployment_id: 'VARCHAR',
        product_id: 'VARCHAR',
        infrastructure: 'VARCHAR',
        quantity: 'VARCHAR',
        unit: 'VARCHAR'
    }
)
