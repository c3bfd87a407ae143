"""The lake: finding dumps, reading them, deciding what becomes of each row, and loading them."""
