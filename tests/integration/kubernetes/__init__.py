"""Two hosts become nodes of a cluster and leave it. A package, whose lab pytest takes down behind its last test."""
