"""What to try: ranges of designs, calls and whole sessions, as Hypothesis strategies."""
