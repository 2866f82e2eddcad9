"""Mail in flight: one sealed body per message, one small row per recipient, durable before anybody says 250."""
