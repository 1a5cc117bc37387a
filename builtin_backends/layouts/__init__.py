"""What makes a delivered plugin active in each runtime: a layout for each, and the tables that they share."""
