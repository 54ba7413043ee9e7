"""Bearer tokens: JSON Web Tokens (RFC 7519), signed and checked by joserfc.

The modules, lowest first: `bearer` holds the undecoded token of the current call. `public_keys` parses
a token provider's keys. `key_ring` uses `fetching` to fetch these keys regularly. `users` checks the tokens
of people and `services` those of services; both use `verifying`. `jwt_tokens` chooses between `users` and
`services` by the token's type. `local_key` signs tokens for development.
"""
