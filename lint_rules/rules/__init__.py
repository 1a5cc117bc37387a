"""The built-in rules, one module each: message, reason, examples and the judgement."""
