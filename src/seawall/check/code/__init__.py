"""Reads code of either language into one form, and follows requests, models and secrets through it."""
