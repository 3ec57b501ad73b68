"""The product: everything that knows the user."""
