"""The star schema and the reports: a pure function for each table, and its asset."""
