"""The built-in provisioning policies: how many servers of a site are on."""
