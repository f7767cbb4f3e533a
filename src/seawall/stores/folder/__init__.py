"""Homes in plain files of the data folder."""
