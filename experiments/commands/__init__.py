"""The command line, a file a group of commands; heavy imports happen inside commands."""
