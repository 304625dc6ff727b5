"""Stands for Cloudflare's edge and its connector, cloudflared, where neither can be had.

The connector runs in the planned containers and calls out; the edge runs outside and offers each private service on
a local port, as the sidecar of the API does. What the two speak to each other is this project's own; what is
imitated and what is not stands in `connector` and `edge`.
"""
