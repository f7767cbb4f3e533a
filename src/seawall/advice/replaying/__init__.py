"""What would have been, had a thing been there: pure functions over recorded calls, one thing a file."""
