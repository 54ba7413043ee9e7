#!/bin/sh
# Prints definitions.json with the passwords of RabbitMQ's users, each from the variable that is named there:
#   ORDERS_RABBITMQ_PASSWORD=… sh definitions.sh > /tmp/definitions.json
set -eu
folder=$(dirname "$0")
passwords=
for name in $(sed -n 's/.*"password_hash": "${\([A-Z0-9_]*\)}".*/\1/p' "$folder/definitions.json"); do
  eval "password=\${$name-}"
  case $password in
    "" | *[!A-Za-z0-9._~-]*)
      echo "$name must be set; it becomes part of a URL: letters, digits and -._~ only" >&2
      exit 1
      ;;
  esac
  passwords="$passwords
s/\"password_hash\": \"[$]{$name}\"/\"password\": \"$password\"/"
done
# Not as an argument, which everybody on the machine can read.
printf '%s\n' "$passwords" | sed -f /dev/stdin "$folder/definitions.json"
