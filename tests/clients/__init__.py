"""The API as other people's clients use it."""
