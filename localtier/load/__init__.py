"""The application's clients: what they write and read is kept in ledgers, and compared in the end with what is there.

They reach every service as the application does, through the local ports that the tunnel's sidecar offers.
"""
