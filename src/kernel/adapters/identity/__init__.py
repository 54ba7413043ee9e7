"""Bearer tokens: JSON Web Tokens (RFC 7519), signed and checked by joserfc.

From the ground up: `bearer` is the token of a call, unread; `public_keys` reads a provider's keys, `key_ring`
keeps them fresh by `fetching`; `users` and `services` check the tokens of people and of services, each on
`verifying`, and `jwt_tokens` asks whichever of them a token is for; `local_key` signs tokens for development.
"""
