"""Benchmarks: the mart's build against peers that do the same work on the same lake."""
