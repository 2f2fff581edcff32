"""The generated part of the client."""
