"""Adapters: one package for each outside system. They translate its errors into ours at the call."""
