"""Founders: small models, trained here in seconds each on the easy part of one task."""
