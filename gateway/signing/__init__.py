"""DKIM signing of the bytes that leave: canonical form, signer, keys."""
