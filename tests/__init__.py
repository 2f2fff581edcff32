"""The tests: each states a promise of the API."""
