SELECT
    day::DATE AS day,
    isodow(day) AS day_of_week,
    dayname(day) AS day_name,
    isodow(day) >= 6 AS is_weekend,
    isoyear(day) AS iso_year,
    week(day) AS iso_week,
    month(day) AS month,
    monthname(day) AS month_name,
    quarter(day) AS quarter,
    year(day) AS year,
    date_trunc('month', day)::DATE AS month_start
FROM generate_series(DATE '2020-01-01', DATE '2039-12-31', INTERVAL 1 DAY) AS days (day)
