"""What a mail is, and who may get it: pure, synchronous, total."""
