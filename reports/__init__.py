"""What to tell: a record of a run becomes text, JSON or JUnit XML."""
