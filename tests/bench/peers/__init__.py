"""What the product is measured against: services that do the same as most would write them, pinned."""
