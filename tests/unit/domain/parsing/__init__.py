"""What is parsed: strict JSON and YAML, merge patches, and the messages of refused fields."""
