"""Growth of users, what it brings and costs, and when the next stage must be ready: pure functions of parameters."""
