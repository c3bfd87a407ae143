"""The peers: other ways to build the mart's tables, each into a DuckDB file of its own."""
