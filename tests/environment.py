"""What the machine and the moment of a run may not say into tests; imported before anything that would listen to them.

- Variables of whoever runs the tests, such as a service of systemd, a proxy, or a build that asks for colours.
- The examples of property tests: the same in every run, so that a change is judged by what it changed. A find among new
  examples says something about all of the code, at a moment when nobody asked; `make properties` asks for it.
"""

from __future__ import annotations

import os
import re

from hypothesis import HealthCheck, settings

_FOREIGN = re.compile(
    r".*_proxy|LISTEN_\w+|WATCHDOG_\w+|NOTIFY_SOCKET|CREDENTIALS_DIRECTORY|PROMETHEUS_MULTIPROC_DIR"
    r"|COLUMNS|LINES|NO_COLOR|\w*FORCE_COLOR|PY_COLORS|GITHUB_ACTIONS|TTY_\w+|AIOSMTPD_\w+",
    re.IGNORECASE,
)
for _name in filter(_FOREIGN.fullmatch, list(os.environ)):
    del os.environ[_name]

# Whether making examples is slow, and how long one takes, depends on what else the machine does.
_calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("same", _calm, derandomize=True, database=None)
settings.register_profile("new", _calm, derandomize=False)
settings.load_profile(os.environ.get("EXAMPLES", "same"))
