"""Speed, memory and accuracy against the steps of the original plugin, re-run in the same process."""
