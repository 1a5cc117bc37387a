"""Which value an expression of a module has: the analysis behind PP001."""
