"""What answers each URL, a file for each family of routes."""
