"""What notebooks have beside Python: a simulation that shows how far it is."""
