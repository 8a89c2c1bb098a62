"""Face 1: standard output is data, standard error is talk."""
