"""Measurements. They run by hand, print what they saw, and judge nothing: a busy machine proves nothing."""
