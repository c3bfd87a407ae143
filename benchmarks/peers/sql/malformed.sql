-- Lines of CSV files that are no rows, as DuckDB's reader has set them aside.

CREATE TEMP TABLE malformed AS
SELECT DISTINCT
    parse_path(file_path)[-2] AS lake_table,
    trim(csv_line, e'\r\n') AS line,
    parse_filename(file_path, true)::DATE AS dump_day,
    'unreadable_value' AS reason,
    parse_path(file_path)[-2] || '/' || parse_filename(file_path) AS file
FROM reject_errors
JOIN reject_scans USING (scan_id, file_id);

INSERT INTO lake.quarantine_telemetry BY NAME
SELECT * EXCLUDE (lake_table) FROM malformed WHERE lake_table = 'telemetry';

INSERT INTO lake.quarantine_invoices BY NAME
SELECT * EXCLUDE (lake_table) FROM malformed WHERE lake_table = 'invoices';

INSERT INTO lake.quarantine_entitlements BY NAME
SELECT * EXCLUDE (lake_table) FROM malformed WHERE lake_table = 'entitlements';
