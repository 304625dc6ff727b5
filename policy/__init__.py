"""What every declared resource must keep to: one set of functions, run by the engine and by the tests.

The rules read a resource's inputs and the stage that it belongs to. They know neither the plan nor the components, so
a mistake there does not repeat itself here. `policy/__main__.py` is the pack for ``pulumi preview --policy-pack``.
"""
