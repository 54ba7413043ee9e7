"""Bearer tokens: JSON Web Tokens (RFC 7519), signed and checked by joserfc.

The modules, lowest first: `bearer` holds the undecoded token of the current call. `public_keys` reads a
provider's keys, and `key_ring` fetches them regularly, with `fetching`. `users` and `services` check the
tokens of people and of services, with `verifying`. `jwt_tokens` picks the one that fits the token's type.
`local_key` signs tokens for development.
"""
