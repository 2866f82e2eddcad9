"""The main job, shown for real: a gateway of its own, a recording provider, and mail over SMTP. Nothing is canned."""
