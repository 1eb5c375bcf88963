"""A package, so that tests find what they share in `tests.helpers`."""
