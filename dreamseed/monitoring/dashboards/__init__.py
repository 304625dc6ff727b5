"""Dashboards as values, drawn by Grafana's own SDK and held to the metric contract."""
