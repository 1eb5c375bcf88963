"""Data: manifests, the one audio reader, the embedded corpus, corpora."""
