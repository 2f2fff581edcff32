"""The parts on their own: no network, no cluster."""
