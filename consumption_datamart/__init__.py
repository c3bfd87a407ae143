"""Consumption of software subscriptions: of what customers are entitled to, how much they use."""
