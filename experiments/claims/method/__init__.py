"""What every claim stands on: registration, cells, measurements, statistics, verdict."""
