"""The API with clients that are not part of this project."""
