"""Mail that nobody here wrote, sent through the whole gateway and read by programs that are not ours."""
