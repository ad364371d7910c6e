"""What is made of runs for readers: figures."""
