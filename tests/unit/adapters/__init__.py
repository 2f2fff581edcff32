"""The adapters: real clients, against servers on loopback."""
