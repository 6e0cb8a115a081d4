"""Parsers of foreign bytes under coverage-guided fuzzing: `make fuzz`."""
