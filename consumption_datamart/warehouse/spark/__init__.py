"""Spark: a cluster that computes, by Spark Connect, and Delta tables in a folder or bucket.

For one writer at a time and any readers. Needs the extra `spark`. What is where:

- `place`: what a URL says;
- `commits`: which version of each table is the published one, and the lease of who writes;
- `session`: the connection, and what is told of its errors;
- `backend`: Ibis on it, that reads each table in the version that is named;
- `tables`: what is done to a Delta table without the cluster;
- `working`: the versions that a transaction has found and made;
- `spread`: what executors read of the lake;
- `transaction` and `warehouse`: the mart's own interface.

Why: docs/decisions/0032-spark-commits-name-versions.md.
"""
