"""The documentation page in Chromium."""
