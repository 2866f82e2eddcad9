"""What client systems and administrators ask over HTTP: status, feed, webhooks."""
