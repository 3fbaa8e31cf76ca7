"""What is right: the designs, the calls, the states, the requirements and the judge."""
