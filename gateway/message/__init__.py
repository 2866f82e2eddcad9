"""One byte string and its MIME tree: parse to spans, record edits, compile to a template. Pure and synchronous."""
