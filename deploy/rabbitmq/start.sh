#!/bin/sh
# Starts RabbitMQ in its image, once the definitions that it loads (shop.conf) have the passwords.
set -eu
(umask 077 && sh "$(dirname "$0")/definitions.sh" > /tmp/definitions.json)
exec docker-entrypoint.sh rabbitmq-server
