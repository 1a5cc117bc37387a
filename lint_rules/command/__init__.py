"""`plugport lint` from its options to its exit code."""
