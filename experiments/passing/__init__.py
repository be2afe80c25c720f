"""What is measured of runs whose agents write programs and tests."""
