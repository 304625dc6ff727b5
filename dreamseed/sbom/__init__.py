"""The bill of materials: every part of what is deployed, and of what deploys it."""
