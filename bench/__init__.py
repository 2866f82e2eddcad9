"""Throughput of the whole job beside a bare Postfix, in one run, as ratios. Everything stays on 127.0.0.1 and ends."""
