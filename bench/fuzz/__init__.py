"""The parsers of foreign bytes, what they must hold to, and coverage-guided fuzzing of that: `make fuzz`."""
