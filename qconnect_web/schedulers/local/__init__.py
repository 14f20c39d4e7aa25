"""The embedded scheduler: jobs as processes of this machine."""
