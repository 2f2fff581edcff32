"""What stays of a finished Job: its retention, its Receipt, its announcement, and the report of a cleanup."""
