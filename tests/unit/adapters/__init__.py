"""How outside systems are reached: real clients, against servers on loopback."""
