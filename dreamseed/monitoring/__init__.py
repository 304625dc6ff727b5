"""What is measured and when somebody is told: the metric contract, alert rules and dashboards, as pure data."""
