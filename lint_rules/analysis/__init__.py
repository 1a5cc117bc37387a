"""What the rules share: names, values and the flow of errors in the code that is linted."""
