"""The deployed product: the packaged template and zip, run by simulated AWS services."""
