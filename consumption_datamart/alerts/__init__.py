"""Alerts: what is wrong is told once, at each crossing of a line, and again when it is over."""
