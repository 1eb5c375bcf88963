"""Side-by-side measurements with peers; each writes a file of results/."""
