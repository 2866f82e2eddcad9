"""SMTP in: who is there, what envelope, which bytes. Every escape is 451; only CR LF . CR LF ends a message."""
