"""The stack of one host: what is wanted there, where its repositories are, and what the matrix makes of both."""
