"""Numbers and log lines about mail. Nobody reads them to decide; nothing here raises into the mail flow."""
