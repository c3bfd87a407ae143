SELECT unnest(generate_series(min(day), max(day), INTERVAL 1 DAY))::DATE AS day
FROM (
    SELECT parse_filename(file, true)::DATE AS day
    FROM glob('{{ env_var("BENCHMARK_LAKE") }}/*/*.parquet')
)
