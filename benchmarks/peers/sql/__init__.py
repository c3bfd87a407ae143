"""The mart as hand-written DuckDB SQL, a script for each layer: the limit."""
