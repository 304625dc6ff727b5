"""A shop on Hetzner Cloud: servers of one image, and a volume for its orders. (Classes of an SDK serve as well.)"""

import pulumi

config, server, volume = pulumi.Config(), "hcloud:index/server:Server", "hcloud:index/volume:Volume"
machine = {"serverType": "cx22", "image": config.require("image"), "location": "nbg1", "ipv4Address": None}
names = [f"web-{number}" for number in range(config.require_int("servers"))]
servers = [pulumi.CustomResource(server, name, {"name": name, **machine}) for name in names]
orders = {"name": "orders", "size": config.require_int("gigabytes"), "deleteProtection": True}
attached = {"serverId": servers[0].id.apply(int), "linuxDevice": None}
pulumi.CustomResource(volume, "orders", {**orders, **attached}, pulumi.ResourceOptions(protect=True))
pulumi.export("addresses", [pulumi.get(one, "ipv4Address") for one in servers])
