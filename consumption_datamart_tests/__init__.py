"""Tests of the consumption data mart."""
