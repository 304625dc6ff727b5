"""What each service runs on the servers, one module a service."""
