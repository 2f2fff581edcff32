"""What several suites share: fakes, builders, scripted servers, waiting."""
