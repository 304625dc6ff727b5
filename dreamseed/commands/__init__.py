"""The `dreamseed` command's sub-commands, one module each."""
